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


def breathing(seed: int, *, gains: float, every_s: float = 1.0) -> Floats:
    """Connections: 60 that are kept, some 25 that come and go, and a burst of up to 200 in one sample of twenty."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(0.0, HOLD_S, every_s)
    bursts = np.where(rng.random(len(at_s)) < 0.05, rng.integers(0, 200, len(at_s)), 0)
    return np.asarray(60 + np.floor(rng.random() + gains * at_s) + rng.poisson(25, len(at_s)) + bursts, dtype=float)


def shares_held(courses: list[Floats], gains: float, every_s: float = 1.0, **how: bool) -> dict[str, float]:
    """How often the interval of the whole, and of its second half, holds the true slope. `pytest -s` tells them."""
    held = {"whole": 0, "late": 0}
    for values in courses:
        seen = course(np.arange(len(values), dtype=float) * every_s, values, **how)
        assert seen is not None
        for name, slope in (("whole", seen.slope), ("late", seen.late_slope)):
            held[name] += slope.low <= gains <= slope.high
    shares = {name: times / len(courses) for name, times in held.items()}
    print(f" of {len(courses)} intervals hold the true slope: {shares}")  # noqa: T201
    return shares


# The worst wanders for some 100 s (1 / (1 - 0.99)), twice as long as a stretch.
@pytest.mark.parametrize("depends", [0.0, 0.9, 0.97, 0.99])
def test_the_interval_holds_the_true_slope_in_about_95_of_100_courses(depends: float) -> None:
    courses = [wandering(seed, depends=depends, gains=30_000.0) for seed in range(400)]
    assert min(shares_held(courses, 30_000.0).values()) > 0.90


@pytest.mark.parametrize("every_s", [1.0, 5.0, 15.0])
@pytest.mark.parametrize("hourly", [0.0, 10.0, 60.0])
def test_by_the_lowest_it_does_so_for_connections_that_breathe(every_s: float, hourly: float) -> None:
    courses = [breathing(seed, gains=hourly / 3600, every_s=every_s) for seed in range(100)]
    assert min(shares_held(courses, hourly / 3600, every_s, by_lowest=True).values()) > 0.90


def test_bursts_cost_the_lowest_no_certainty_and_the_means_much() -> None:
    at_s, one = np.arange(0.0, HOLD_S), breathing(1, gains=0.0)
    by_lowest, by_means = course(at_s, one, by_lowest=True), course(at_s, one)
    assert by_lowest is not None
    assert by_means is not None
    assert by_lowest.slope.high - by_lowest.slope.low < (by_means.slope.high - by_means.slope.low) / 1.5


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


@given(gains=st.floats(-1e3, 1e3), every_s=st.sampled_from([1.0, 5.0, 15.0]), by_lowest=st.booleans())
def test_a_straight_line_has_its_own_slope_however_often_it_is_looked_at(
    gains: float, every_s: float, by_lowest: bool
) -> None:
    at_s = np.arange(0.0, 1200.0, every_s)
    seen = course(at_s, 5.0 + gains * at_s, by_lowest=by_lowest)
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
