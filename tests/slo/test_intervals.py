"""Quantiles are exact, intervals cover the truth as often as they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.intervals import Interval, longer_s, quantile, quantile_interval
from slo.sample_size import needed_for


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_the_nearest_rank(sample: list[int], ratio: float) -> None:
    values, counts = np.unique(sample, return_counts=True)
    expected = sorted(sample)[math.ceil(round(ratio * len(sample), 6)) - 1]
    assert quantile(values.astype(float), counts.astype(float), ratio) == expected


@pytest.mark.parametrize(("ratio", "needed"), [(0.95, 59), (0.99, 299), (0.999, 2995)])
def test_the_floors_are_those_of_order_statistics(ratio: float, needed: int) -> None:
    assert needed_for(ratio) == needed


def test_without_variation_the_interval_is_a_point() -> None:
    counts = np.tile(np.array([0, 100, 0]), (60, 1))
    assert quantile_interval(np.array([1.0, 2.0, 3.0]), counts, 0.95) == Interval(low=2.0, high=2.0)


def test_the_same_record_gives_the_same_interval() -> None:
    counts = np.random.default_rng(5).poisson(3, size=(60, 50))
    values = np.arange(1.0, 51.0)
    assert quantile_interval(values, counts, 0.99) == quantile_interval(values, counts, 0.99)


def test_the_interval_covers_the_truth_though_seconds_depend_on_each_other() -> None:
    """Log-normal latencies whose level wanders (AR(1), ρ = 0.5): 95 % intervals of 150 runs of 3 minutes."""
    random = np.random.default_rng(11)
    edges = np.exp(np.linspace(math.log(5), math.log(200), 300))
    level_sd, rho, sigma = 0.1, 0.5, 0.5
    truth = 20 * math.exp(1.6449 * math.hypot(sigma, level_sd / math.sqrt(1 - rho**2)))
    covered = 0
    for _ in range(150):
        level = np.zeros(180)
        for second in range(1, 180):
            level[second] = rho * level[second - 1] + random.normal(0, level_sd)
        sample = 20 * np.exp(level[:, None] + random.normal(0, sigma, size=(180, 200)))
        counts = np.array([np.histogram(row, bins=np.append(edges, 1e9))[0] for row in sample])
        interval = quantile_interval(edges, counts, 0.95)
        covered += interval.low * 0.98 <= truth <= interval.high * 1.02
    assert covered / 150 >= 0.9


@pytest.mark.parametrize(("held_s", "rps", "ratio"), [(5, 100, 0.95), (9, 100, 0.5), (20, 200, 0.999)])
def test_the_interval_covers_the_truth_of_a_short_hold_and_of_a_far_tail(held_s: int, rps: int, ratio: float) -> None:
    """Exponential latencies, all independent; a hold of 5 s is one block of the bootstrap: nothing varies."""
    random = np.random.default_rng(17)
    steps = np.arange(1.0, 12_001.0)
    truth = -1000 * math.log(1 - ratio)
    covered = 0
    for _ in range(150):
        sample = np.ceil(random.exponential(1000, size=(held_s, rps))).clip(1, 12_000).astype(int)
        counts = np.array([np.bincount(row, minlength=12_001)[1:] for row in sample])
        interval = quantile_interval(steps, counts, ratio)
        covered += interval.low - 1 <= truth <= interval.high
    assert covered / 150 >= 0.9


@pytest.mark.parametrize(("limit", "more_s"), [(110, 180), (95, 60 * 3)])
def test_longer_means_until_the_limit_is_out_of_its_side_of_the_interval(limit: float, more_s: float) -> None:
    interval = Interval(low=90, high=120)
    assert longer_s(interval=interval, measured=100, limit=limit, held_s=60) == pytest.approx(more_s)


def test_no_time_decides_a_limit_that_is_the_measured_value() -> None:
    assert math.isinf(longer_s(interval=Interval(low=90, high=110), measured=100, limit=100, held_s=60))
