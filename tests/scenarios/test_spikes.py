"""Where a rate line has its spikes, by the line alone; and what a plan must leave of it for recovery to be judged."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import PlanError
from scenarios.files import load_plan, read_objectives
from scenarios.plan_check import with_canary
from scenarios.profile import Phase, Profile
from scenarios.recovery_check import recovery_problems
from scenarios.spikes import Spike, spikes
from scenarios.target import Target, TargetClass
from slo.objective import Recovery

HERE = Target(name="rehearsal", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL)
ASKED = Recovery(name="recovery", quantile_ratio=0.95, latency_below_ms=450, errors_below_ratio=0.04)


def line(*phases: tuple[float, float, float]) -> Profile:
    """Phases of (seconds, from, to)."""
    return Profile(
        phases=tuple(
            Phase(name=f"p{place}", duration_s=lasts_s, from_rps=start, to_rps=end)
            for place, (lasts_s, start, end) in enumerate(phases)
        )
    )


def bounds(profile: Profile) -> list[tuple[float, float, float]]:
    return [(one.onset_s, one.end_s, one.until_s) for one in spikes(profile)]


def test_a_jump_and_back_is_a_spike_from_the_instant_of_one_to_that_of_the_other() -> None:
    assert spikes(line((30, 10, 10), (20, 100, 100), (60, 10, 10))) == (
        Spike(onset_s=30, end_s=50, until_s=110, before_rps=10, peak_rps=100, after_rps=10),
    )


def test_a_ramp_belongs_to_the_spike_from_its_foot_on_both_sides() -> None:
    assert bounds(line((30, 10, 10), (5, 10, 100), (20, 100, 100), (10, 100, 10), (60, 10, 10))) == [(30, 65, 125)]


def test_a_ramp_in_several_phases_is_one_ramp() -> None:
    assert bounds(line((30, 10, 10), (5, 10, 40), (5, 40, 100), (5, 100, 60), (5, 60, 10), (9, 10, 10))) == [
        (30, 50, 59)
    ]


def test_a_canary_or_a_stair_on_the_way_up_is_no_part_of_it() -> None:
    plain = line((30, 10, 10), (20, 100, 100), (60, 10, 10))
    assert bounds(with_canary(plain)) == [(90, 110, 170)]
    assert bounds(line((30, 10, 10), (30, 40, 40), (20, 100, 100), (60, 10, 10))) == [(60, 80, 140)]


def test_each_of_several_spikes_is_watched_up_to_the_next() -> None:
    assert bounds(line((9, 10, 10), (5, 99, 99), (20, 10, 10), (5, 99, 99), (30, 10, 10))) == [
        (9, 14, 34),
        (34, 39, 69),
    ]


def test_silence_at_the_end_is_no_load_to_see_recovery_by() -> None:
    assert bounds(line((9, 10, 10), (5, 99, 99), (20, 10, 10), (7, 0, 0))) == [(9, 14, 34)]
    assert bounds(line((9, 10, 10), (5, 99, 99), (7, 0, 0))) == [(9, 14, 14)]


@pytest.mark.parametrize(
    "profile",
    [line((10, 0, 100), (60, 100, 100)), line((10, 60, 60), (10, 100, 100), (10, 60, 60)), line((9, 0, 0))],
    ids=["never comes back", "never doubles", "is silent"],
)
def test_what_does_not_rise_above_half_its_peak_and_come_back_is_no_spike(profile: Profile) -> None:
    assert spikes(profile) == ()


def test_a_line_that_begins_high_rose_from_nothing() -> None:
    assert bounds(line((10, 100, 100), (30, 10, 10))) == [(0, 10, 40)]


RATES = st.integers(0, 100).map(float)
LINES = st.lists(st.tuples(st.integers(1, 20).map(float), RATES, RATES), min_size=1, max_size=8).map(
    lambda phases: line(*phases)
)


@given(LINES)
def test_outside_all_spikes_the_rate_is_at_most_half_the_peak_unless_it_never_comes_back(profile: Profile) -> None:
    found = spikes(profile)
    last_s = found[-1].end_s if found else 0.0
    rises_for_good = next((at for at in _steps(profile) if at >= last_s and _over(profile, at)), profile.duration_s)
    for at_s in _steps(profile):
        inside = any(one.onset_s <= at_s <= one.end_s for one in found)
        assert inside or not _over(profile, at_s) or at_s >= rises_for_good


@given(LINES)
def test_spikes_follow_one_another_and_rise_above_half_the_peak(profile: Profile) -> None:
    found = spikes(profile)
    for one in found:
        assert 0 <= one.onset_s < one.end_s <= one.until_s <= profile.duration_s
        assert max(one.before_rps, one.after_rps) <= profile.peak_rps / 2 < one.peak_rps
    assert all(one.until_s <= other.onset_s or one.end_s >= other.onset_s for one, other in pairwise(found))


@given(LINES)
def test_a_line_scaled_in_rate_has_its_spikes_at_the_same_instants(profile: Profile) -> None:
    scaled = Profile(
        phases=tuple(replace(one, from_rps=one.from_rps * 2, to_rps=one.to_rps * 2) for one in profile.phases)
    )
    assert bounds(scaled) == bounds(profile)


def _steps(profile: Profile) -> list[float]:
    return [step / 4 for step in range(int(profile.duration_s * 4))]


def _over(profile: Profile, at_s: float) -> bool:
    return profile.rate_at(at_s) > profile.peak_rps / 2


# --- what a plan must leave of it ------------------------------------------------------------------


def problems(profile: Profile, **asked: Any) -> list[str]:
    plan = replace(load_plan("smoke", target=HERE), profile=profile, objectives=(replace(ASKED, **asked),))
    return list(recovery_problems(plan))


GOOD = line((30, 20, 20), (20, 200, 200), (60, 20, 20))


def test_a_plan_with_a_spike_that_is_watched_for_long_enough_is_fine() -> None:
    assert problems(GOOD) == []


def test_the_spike_plan_asks_for_both_recoveries_at_any_rate_from_a_thousand_on() -> None:
    plan = load_plan("spike", target=HERE, rate_rps=1000.0)
    asked = {one.since for one in plan.objectives if isinstance(one, Recovery)}
    assert asked == {"spike-end", "spike-onset"}
    (spike,) = spikes(plan.profile)
    assert (spike.onset_s, spike.end_s, spike.until_s) == (30, 210, 300)


def test_a_plan_without_a_spike_is_refused() -> None:
    (told,) = problems(line((5, 0, 100), (30, 100, 100)))
    assert told == "recovery: the rate line has no spike: it never rises above half of its peak and comes back"


def test_load_that_ends_too_soon_after_the_spike_is_refused_with_what_is_needed() -> None:
    (told,) = problems(line((30, 20, 20), (20, 200, 200), (49, 20, 20)))
    assert told == "recovery: load goes on for 49 s after the spike; `within_s` and `held_for_s` need 50"


def test_windows_with_too_few_requests_to_say_anything_are_refused() -> None:
    (told,) = problems(line((30, 10, 10), (20, 200, 200), (60, 10, 10)))
    assert "50 requests are due in a window of 5 s after the spike, and 74 are needed" in told
    assert problems(line((30, 10, 10), (20, 200, 200), (60, 10, 10)), window_s=8) == []


def test_a_search_has_no_spike_of_its_own() -> None:
    plan = replace(load_plan("stress", target=HERE), objectives=(ASKED,))
    assert list(recovery_problems(plan)) == [
        "recovery: a search drives levels and no spike; leave recovery to a plan of its own"
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "quantile_ratio: 1",
        "errors_below_ratio: 0",
        "latency_below_ms: -1",
        "held_for_s: 0",
        "within_s: 4",
        "window_s: 0",
    ],
)
def test_values_that_no_spike_could_be_judged_by_are_refused_also_when_a_run_is_judged_again(
    tmp_path: Path, wrong: str
) -> None:
    fine = {"quantile_ratio": "0.95", "latency_below_ms": "450", "errors_below_ratio": "0.04"}
    fine |= {wrong.split(":")[0]: wrong.split(": ")[1]}
    values = ", ".join(f"{name}: {value}" for name, value in fine.items())
    path = tmp_path / "own.yaml"
    path.write_text(f"- {{kind: recovery, name: back, {values}}}\n")
    with pytest.raises(PlanError, match="back: "):
        read_objectives(str(path))
