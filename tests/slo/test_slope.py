"""The slope's interval keeps its word: it holds the true slope in about 95 of 100 courses, wandering ones too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.slope import STRETCHES, Floats, course, slope_of

HOLD_S = 1200


def wandering(seed: int, *, depends: float, gains: float, noise: float = 2.5e6, seconds: int = HOLD_S) -> Floats:
    """500 MB, so much more each second, and a wander in which each second depends so much on the one before."""
    rng = np.random.default_rng(seed)
    wander = np.zeros(seconds)
    for second in range(1, seconds):
        wander[second] = depends * wander[second - 1] + rng.normal(0, noise * np.sqrt(1 - depends**2))
    return 500e6 + gains * np.arange(seconds) + wander


# The worst wanders for some 100 s (1 / (1 - 0.99)), twice as long as a stretch.
@pytest.mark.parametrize("depends", [0.0, 0.9, 0.97, 0.99])
def test_the_interval_holds_the_true_slope_in_about_95_of_100_courses(depends: float) -> None:
    courses = 400
    held = {"whole": 0, "late": 0}
    for seed in range(courses):
        seen = course(np.arange(HOLD_S, dtype=np.float64), wandering(seed, depends=depends, gains=30_000.0))
        assert seen is not None
        for name, slope in (("whole", seen.slope), ("late", seen.late_slope)):
            held[name] += slope.low <= 30_000.0 <= slope.high
    assert min(held.values()) / courses > 0.90, held


def test_the_first_quarter_is_warm_up_and_counts_for_nothing() -> None:
    at_s = np.arange(1000.0)
    seen = course(at_s, np.where(at_s < 240, 1e6 * at_s, 5.0))
    assert seen is not None
    assert (seen.slope.low, seen.slope.high) == (0.0, 0.0)


def test_a_hole_is_a_stretch_that_nobody_saw_and_moves_nothing() -> None:
    at_s = np.arange(1000.0)
    kept = (at_s < 400) | (at_s > 600)
    seen = course(at_s[kept], 5.0 + 2 * at_s[kept])
    assert seen is not None
    assert seen.slope.gains == pytest.approx(2.0)
    assert STRETCHES - 7 < len(seen.at_s) < STRETCHES


def test_nothing_has_no_course() -> None:
    assert course(np.empty(0), np.empty(0)) is None


@given(gains=st.floats(-1e3, 1e3), every_s=st.sampled_from([1.0, 5.0, 15.0]))
def test_a_straight_line_has_its_own_slope_however_often_it_is_looked_at(gains: float, every_s: float) -> None:
    at_s = np.arange(0.0, 1200.0, every_s)
    seen = course(at_s, 5.0 + gains * at_s)
    assert seen is not None
    assert np.allclose([seen.slope.low, seen.slope.gains, seen.slope.high], gains, atol=1e-6)


@given(
    values=st.lists(st.integers(-1_000_000, 1_000_000), min_size=5, max_size=20),
    lifted=st.integers(-1_000_000, 1_000_000),
    dependence=st.floats(0, 0.9),
)
def test_an_interval_lies_about_its_slope_and_does_not_care_for_the_level(
    values: list[int], lifted: int, dependence: float
) -> None:
    at_s, mean = np.arange(float(len(values))), np.array(values, dtype=np.float64)
    slope, other = slope_of(at_s, mean, dependence), slope_of(at_s, mean + lifted, dependence)
    assert slope.low <= slope.gains <= slope.high
    assert np.allclose([other.low, other.high], [slope.low, slope.high], atol=1e-6)
