"""Steady: what creeps up is told from what wanders, warms up, steps or was started anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slo.evidence import NotSeen
from slo.judge import judge
from slo.objective import Resource, Steady
from slo.own_findings import own_findings
from slo.resource import ResourceSeries
from slo.slope import Floats
from slo.validity import FindingKind, Severity
from slo.verdict import Judgement, Outcome
from tests.slo.builders import START, evidence, measurement
from tests.slo.test_slope import HOLD_S, breathing, wandering

MB = 1e6
HOUR_S = 3600


def one(value: Floats, *, start_s: float = 0.0, **changes: Any) -> ResourceSeries:
    """A sample a second from so many seconds into the hold."""
    at_unix_s = START + start_s + np.arange(len(value), dtype=np.float64)
    return ResourceSeries(
        **{"name": "core-1", "source": "s", "group": "core", "at_unix_s": at_unix_s, "value": value, **changes}
    )


def memory(
    *, hourly: float = 0.0, seed: int = 1, seconds: int = HOLD_S, noise: float = 0.005, **more: Any
) -> ResourceSeries:
    """500 MB that grows by a share an hour and wanders as processes do."""
    gains = hourly * 500 * MB / HOUR_S
    return one(wandering(seed, depends=0.9, gains=gains, noise=noise * 500 * MB, seconds=seconds), **more)


def handles(hourly: float, *, from_: float = 40.0, **more: Any) -> ResourceSeries:
    """Whole handles, as they are: a staircase."""
    return one(np.floor(from_ + hourly * np.arange(HOLD_S) / HOUR_S), **more)


def judged(*series: ResourceSeries, of: Resource = "memory", seconds: int = HOLD_S, **asked: Any) -> Judgement:
    wanted = Steady(name="x", of=of, **asked)
    return judge((wanted,), evidence(seconds=seconds, resources={of: series}), ()).judgements[0]


# --- the slope ---------------------------------------------------------------------------------------


def test_memory_that_only_wanders_is_steady() -> None:
    assert judged(memory()).outcome is Outcome.MET


def test_a_leak_is_missed() -> None:
    answer = judged(memory(hourly=0.6))
    assert answer.outcome is Outcome.MISSED
    assert "MB an hour" in answer.measured


def test_memory_that_shrinks_is_steady() -> None:
    assert judged(memory(hourly=-0.5)).outcome is Outcome.MET


def test_growth_close_to_what_is_allowed_is_unproven_by_a_noisy_hold() -> None:
    answer = judged(memory(hourly=0.1, noise=0.02))
    assert answer.outcome is Outcome.UNPROVEN
    assert "a longer hold would decide" in answer.because


def test_one_leak_among_many_is_found_and_named_first() -> None:
    answer = judged(memory(), memory(hourly=0.5, name="billing-1"), memory(seed=2))
    assert answer.outcome is Outcome.MISSED
    assert answer.because.startswith("billing-1")


def test_of_many_leaks_the_steepest_are_told_and_the_rest_counted() -> None:
    answer = judged(*(memory(hourly=0.5 + number, name=f"core-{number}") for number in range(5)))
    assert answer.because.startswith("core-4")
    assert answer.because.endswith("; and 2 more")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), hourly=st.floats(0.5, 5))
def test_a_clear_leak_never_passes_and_a_still_process_never_fails(seed: int, hourly: float) -> None:
    assert judged(memory(hourly=hourly, seed=seed)).outcome is Outcome.MISSED
    assert judged(memory(seed=seed)).outcome is not Outcome.MISSED


@pytest.mark.parametrize("seed", range(8))
def test_of_connections_that_breathe_twenty_minutes_tell_half_their_level_an_hour(seed: int) -> None:
    still, leaks = breathing(seed, gains=0.0), breathing(seed, gains=150 / HOUR_S)
    assert judged(one(still), of="connections", below_ratio_per_hour=0.5).outcome is Outcome.MET
    assert judged(one(leaks), of="connections", below_ratio_per_hour=0.5).outcome is Outcome.MISSED


# --- limits ------------------------------------------------------------------------------------------


def test_a_leak_says_when_the_limit_is_reached() -> None:
    answer = judged(handles(300), of="file_handles")
    assert "limit" not in answer.because
    answer = judged(handles(300, limit=1024.0), of="file_handles")
    assert answer.outcome is Outcome.MISSED
    assert "at this slope its limit of 1,024 is reached in 3.0 h" in answer.because


def test_what_connections_take_of_the_limit_is_not_there_to_be_filled() -> None:
    answer = judged(handles(300, limit=1024.0, taken=586.0), of="file_handles")
    assert "its limit of 1,024 is reached in 1.0 h" in answer.because


def test_growth_that_is_small_but_reaches_the_limit_within_the_time_stated_is_missed() -> None:
    slow = memory(hourly=0.05, noise=0.0005, limit=540 * MB)
    assert judged(slow, no_limit_within_h=24).outcome is Outcome.MISSED
    assert judged(slow, no_limit_within_h=1).outcome is Outcome.MET


def test_a_limit_far_away_excuses_no_leak() -> None:
    assert judged(memory(hourly=0.5, limit=1e15)).outcome is Outcome.MISSED


def test_what_stands_at_its_limit_is_missed_without_any_growth() -> None:
    answer = judged(one(np.full(HOLD_S, 1024.0), limit=1024.0), of="file_handles")
    assert answer.outcome is Outcome.MISSED
    assert "its limit of 1,024 is reached" in answer.because


def comes_and_goes(*, hourly: float = 0.0, seed: int = 1, **more: Any) -> ResourceSeries:
    """Connections of a machine that is short of time: up to a hundred more for a minute or two."""
    gains = hourly / HOUR_S
    return one(np.rint(wandering(seed, depends=0.99, gains=gains, noise=30.0) - 500e6 + 120), **more)


def test_what_comes_and_goes_too_much_to_tell_is_unproven_however_far_its_limit() -> None:
    answer = judged(comes_and_goes(limit=1e6), of="connections")
    assert answer.outcome is Outcome.UNPROVEN
    assert "a longer hold would decide; its limit of 1,000,000 is not reached for" in answer.because


def test_a_leak_below_all_the_coming_and_going_is_missed_though_its_limit_is_far() -> None:
    assert judged(comes_and_goes(hourly=2000, limit=1e6), of="connections").outcome is Outcome.MISSED


@given(
    hourly=st.floats(-200, 2000), seed=st.integers(0, 100), limits=st.tuples(st.floats(150, 1e6), st.floats(150, 1e6))
)
@settings(max_examples=50, deadline=None)
def test_a_lower_limit_never_makes_it_better(hourly: float, seed: int, limits: tuple[float, float]) -> None:
    rank = {Outcome.MET: 0, Outcome.UNPROVEN: 1, Outcome.MISSED: 2}
    low, high = (
        judged(comes_and_goes(hourly=hourly, seed=seed, limit=limit), of="connections").outcome
        for limit in sorted(limits)
    )
    assert rank[low] >= rank[high]


# --- warm-up and whole numbers ------------------------------------------------------------------------


@pytest.mark.parametrize("fills_for_s", [60, 300, 500])
def test_a_cache_that_fills_and_then_is_full_is_steady(fills_for_s: int) -> None:
    value = 500 * MB + 300 * MB * np.minimum(np.arange(HOLD_S) / fills_for_s, 1.0)
    assert judged(one(value)).outcome is Outcome.MET


def test_what_grows_ever_more_slowly_is_not_passed() -> None:
    value = 500 * MB + 150 * MB * (1 - np.exp(-np.arange(HOLD_S) / 300))
    assert judged(one(value)).outcome is Outcome.UNPROVEN


def test_a_leak_that_begins_half_way_is_found() -> None:
    second = np.arange(HOLD_S)
    value = 500 * MB + np.maximum(second - 700, 0) * 1 * MB
    answer = judged(one(value))
    assert answer.outcome is Outcome.MISSED


@given(at_s=st.integers(0, HOLD_S), rises=st.integers(1, 5), from_=st.integers(5, 500))
def test_a_single_step_of_a_few_handles_is_never_a_leak(at_s: int, rises: int, from_: int) -> None:
    value = from_ + np.where(np.arange(HOLD_S) >= at_s, float(rises), 0.0)
    assert judged(one(value, limit=1_048_576.0), of="file_handles").outcome is not Outcome.MISSED


@pytest.mark.parametrize("hourly", [60, 120, 3600])
def test_a_staircase_is_a_leak_however_small_its_steps(hourly: float) -> None:
    assert judged(handles(hourly), of="file_handles").outcome is Outcome.MISSED


def test_one_handle_more_of_a_dozen_is_no_leak() -> None:
    assert judged(handles(3, from_=12), of="file_handles").outcome is Outcome.MET


# --- lives -------------------------------------------------------------------------------------------


def test_a_short_hold_proves_nothing() -> None:
    assert judged(memory(seconds=300), seconds=300).outcome is Outcome.UNPROVEN


def test_a_process_started_anew_in_mid_soak_proves_nothing_by_its_halves() -> None:
    halves = [memory(hourly=2, seconds=600), memory(hourly=2, seconds=600, start_s=600, name="core-1, started anew")]
    answer = judged(*halves)
    assert answer.outcome is Outcome.UNPROVEN
    assert "started anew" in answer.because


def test_replicas_that_came_late_or_went_early_do_not_stand_in_the_way_of_those_that_stayed() -> None:
    answer = judged(memory(), memory(seconds=200, start_s=1000, name="core-2"))
    assert answer.outcome is Outcome.MET
    assert "1 more lived too short to be judged" in answer.because


def test_a_group_of_which_nothing_lived_long_is_unproven_whatever_others_did() -> None:
    answer = judged(memory(), memory(seconds=200, name="billing-1", group="billing"))
    assert answer.outcome is Outcome.UNPROVEN
    assert "billing-1" in answer.because


def test_replicas_that_an_autoscaler_adds_are_no_growth() -> None:
    replicas = [
        memory(seconds=HOLD_S - late, start_s=late, seed=late, name=f"core-{late}") for late in (0, 60, 120, 180)
    ]
    assert judged(*replicas).outcome is Outcome.MET


def test_a_course_with_a_large_hole_proves_nothing() -> None:
    whole = memory()
    second = np.arange(HOLD_S)
    kept = (second < 350) | (second > 1000)
    answer = judged(replace(whole, at_unix_s=whole.at_unix_s[kept], value=whole.value[kept]))
    assert answer.outcome is Outcome.UNPROVEN
    assert "seen with holes" in answer.because


def test_no_data_never_passes() -> None:
    for nothing in ({}, {"memory": NotSeen("no Prometheus")}, {"memory": ()}):
        verdict = judge((Steady(name="x"),), evidence(resources=nothing), ())
        assert verdict.judgements[0].outcome is Outcome.UNPROVEN


def test_each_resource_is_judged_by_its_own_course() -> None:
    asked = tuple(Steady(name=of, of=of) for of in ("memory", "file_handles", "connections"))
    seen = {"memory": (memory(),), "file_handles": (handles(3600),), "connections": (handles(0),)}
    verdict = judge(asked, evidence(seconds=HOLD_S, resources=seen), ())
    assert [one.outcome for one in verdict.judgements] == [Outcome.MET, Outcome.MISSED, Outcome.MET]


# --- golive's own ------------------------------------------------------------------------------------


def test_a_generator_that_grows_is_told_and_takes_nothing_away() -> None:
    hold = evidence(seconds=HOLD_S).hold
    grown = measurement(own={"memory": (memory(hourly=1.0, name="golive's worker 0"),)})
    (finding,) = own_findings(grown, hold, 600.0)
    assert (finding.kind, finding.severity) == (FindingKind.GENERATOR_GROWS, Severity.WARNS)
    assert "golive's worker 0" in finding.what
    assert not list(own_findings(measurement(own={"memory": (memory(),)}), hold, 600.0))
    assert not list(own_findings(grown, hold, 1000.0))
