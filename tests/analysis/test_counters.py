"""How much a counter grew, through scrape delays, births and resets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.counters import growth_of
from analysis.ports import Series
from tests.fakes import FakeMetrics, samples

NOTHING = np.array([])


def shown(at: NDArray[np.float64], values: NDArray[np.float64], until: float) -> Series:
    """A range query at 1 s steps over these scraped samples."""
    stored = FakeMetrics({"x": [samples({}, at, values)]})
    (series,) = stored.query_range("x", start_unix_s=0, end_unix_s=until, step_s=1)
    return series


@given(st.floats(1, 20), st.floats(0, 0.99), st.floats(1, 40_000), st.floats(40, 60), st.floats(100, 160))
def test_steady_growth_is_told_exactly_whatever_the_scrape_interval(
    every_s: float, offset_s: float, rps: float, start: float, end: float
) -> None:
    scrapes = np.arange(offset_s, 200, every_s)
    series = shown(scrapes, rps * scrapes, 200)
    grown = growth_of(series, scrapes, 1.0).between(start, end)
    assert grown == pytest.approx(rps * (end - start), rel=1e-6)


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=60), st.data())
def test_a_restarted_counter_loses_no_more_than_the_step_of_its_restart(steps: list[int], data: st.DataObject) -> None:
    restart = data.draw(st.integers(2, len(steps) - 1))
    total = np.cumsum(steps).astype(float)
    values = np.concatenate((total[:restart], total[restart:] - total[restart - 1]))
    at = np.arange(len(steps), dtype=float)
    grown = growth_of(samples({}, at, values), NOTHING, 1.0).between(0.0, float(len(steps)))
    true = sum(steps[1:])
    assert true - max(steps) <= grown <= true


def test_a_pod_that_goes_away_does_not_count_its_past_again() -> None:
    values = np.array([1000, 1100, 1200, 700, 800, 900.0])  # 100 a second; a pod that had counted 600 went
    grown = growth_of(samples({}, np.arange(6.0), values), NOTHING, 1.0)
    assert grown.between(0, 5) == 500


def test_a_counter_born_while_scraped_began_at_nought() -> None:
    scrapes = np.arange(0.5, 60)
    born = scrapes > 30
    series = shown(scrapes[born], 7 + 10 * (scrapes[born] - 30.5), 60)
    assert growth_of(series, scrapes, 1.0).between(0, 60) == pytest.approx(7 + 10 * 29)


def test_a_counter_that_was_never_missing_brings_its_past_along() -> None:
    scrapes = np.arange(0.5, 60)
    series = shown(scrapes, np.full(len(scrapes), 5000.0), 60)
    assert growth_of(series, scrapes, 1.0).between(0, 60) == 0


def test_a_hole_in_the_scrapes_is_bridged_by_a_straight_line() -> None:
    scrapes = np.concatenate((np.arange(0.5, 20), np.arange(40.5, 60)))
    series = shown(scrapes, 10 * scrapes, 60)
    assert growth_of(series, scrapes, 1.0).between(10, 30) == pytest.approx(200)


def test_without_samples_nothing_grew() -> None:
    assert growth_of(samples({}, [], []), np.arange(5.0), 1.0).between(0, 5) == 0
