"""Steady: memory that creeps up is told from memory that only wanders."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.evidence import NotSeen, ResourceSeries
from slo.judge import judge
from slo.objective import Steady
from slo.steady import slope_interval
from slo.verdict import Judgement, Outcome
from tests.slo.builders import START, evidence

MB = 1e6
ASKED = Steady(name="memory", below_ratio_per_hour=0.1)


def memory(
    *, hourly: float = 0.0, seconds: int = 1200, noise: float = 0.005, seed: int = 1, **changes: Any
) -> ResourceSeries:
    """500 MB that grows by a share an hour and wanders as processes do: each second is much like the one before."""
    rng = np.random.default_rng(seed)
    at_s = np.arange(seconds, dtype=np.float64)
    wander = np.zeros(seconds)
    for second in range(1, seconds):
        wander[second] = 0.9 * wander[second - 1] + rng.normal(0, noise * np.sqrt(1 - 0.81))
    value = 500 * MB * (1 + hourly * at_s / 3600 + wander)
    return ResourceSeries(
        **{"name": "memory of core", "source": "s", "at_unix_s": START + at_s, "value": value, **changes}
    )


def judged(*series: ResourceSeries, seconds: int = 1200) -> Judgement:
    return judge((ASKED,), evidence(seconds=seconds, resources=series), ()).judgements[0]


def test_memory_that_only_wanders_is_steady() -> None:
    assert judged(memory()).outcome is Outcome.MET


def test_a_leak_is_missed_and_says_when_the_limit_is_reached() -> None:
    one = judged(memory(hourly=0.6, limit=1000 * MB))
    assert one.outcome is Outcome.MISSED
    assert "it reaches its limit in 1." in one.because


def test_memory_that_shrinks_is_steady() -> None:
    assert judged(memory(hourly=-0.5)).outcome is Outcome.MET


def test_one_leak_among_many_is_found() -> None:
    one = judged(memory(), memory(hourly=0.5, name="memory of billing"), memory(seed=2))
    assert one.outcome is Outcome.MISSED
    assert one.because.startswith("memory of billing")


def test_growth_close_to_the_limit_is_unproven_by_a_noisy_hold() -> None:
    assert judged(memory(hourly=0.1, noise=0.02)).outcome is Outcome.UNPROVEN


def test_a_short_hold_proves_nothing() -> None:
    assert judged(memory(seconds=300), seconds=300).outcome is Outcome.UNPROVEN


def test_no_data_never_passes() -> None:
    for nothing in (NotSeen("no Prometheus"), ()):
        assert judge((ASKED,), evidence(resources=nothing), ()).judgements[0].outcome is Outcome.UNPROVEN


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), hourly=st.floats(0.5, 5))
def test_a_clear_leak_never_passes_and_a_still_process_never_fails(seed: int, hourly: float) -> None:
    assert judged(memory(hourly=hourly, seed=seed)).outcome is Outcome.MISSED
    assert judged(memory(seed=seed)).outcome is not Outcome.MISSED


@given(slope=st.floats(-1e3, 1e3))
def test_a_straight_line_has_its_own_slope(slope: float) -> None:
    at_s = np.arange(100.0)
    found = slope_interval(at_s, 5.0 + slope * at_s)
    assert np.isclose(found.low, slope, atol=1e-6)
    assert np.isclose(found.high, slope, atol=1e-6)
