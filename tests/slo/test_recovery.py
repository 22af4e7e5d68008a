"""Recovery: how long after a spike the promises hold again and stay held, and when that cannot be said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.evidence import ClientLoad, LatencyTable, NotSeen, SpikeSeen
from slo.judge import judge
from slo.objective import Recovery
from slo.promises import Promise, promise_windows
from slo.recovery import recovered
from slo.verdict import Judgement, Outcome
from tests.slo.builders import START, evidence, spike

ASKED = Recovery(name="recovery", quantile_ratio=0.95, latency_below_ms=450.0, errors_below_ratio=0.04)
FROM_ONSET = replace(ASKED, since="spike-onset", within_s=60.0)


def judged(*spikes: SpikeSeen, asked: Recovery = ASKED, **changes: Any) -> Judgement:
    return judge((replace(asked, **changes),), evidence(spikes=spikes), ()).judgements[0]


def load_of(seen: SpikeSeen) -> ClientLoad:
    assert isinstance(seen.client, ClientLoad)
    return seen.client


def test_a_platform_that_never_left_its_promises_recovers_in_no_time_and_says_so() -> None:
    one = judged(spike())
    assert (one.outcome, one.measured) == (Outcome.MET, "0 s")
    assert one.because.startswith("never left its promises: P95 < 450 ms and errors < 4 % held in 16 of 16 windows")


def test_recovery_is_counted_from_the_spikes_end_to_the_end_of_the_last_broken_window() -> None:
    one = judged(spike(lasts_s=20, slow=range(3, 33)))  # its last slow second lies in the window from 30 to 35
    assert (one.outcome, one.measured, one.target) == (Outcome.MET, "15 s", "back ≤ 30 s after the spike's end")
    assert "back 15 s after the spike's end, 35 s from its onset" in one.because
    assert "stayed held for 45 s" in one.because


def test_the_same_instant_is_counted_from_the_onset_where_that_is_asked() -> None:
    one = judged(spike(lasts_s=20, slow=range(3, 33)), asked=FROM_ONSET)
    assert (one.outcome, one.measured, one.target) == (Outcome.MET, "35 s", "back ≤ 60 s after the spike's onset")


def test_a_platform_that_catches_up_while_the_spike_lasts_needs_no_time_after_it() -> None:
    seen = spike(lasts_s=60, slow=range(3, 22))
    assert judged(seen).measured == "0 s"
    assert judged(seen, asked=FROM_ONSET).measured == "25 s"
    assert "back while the spike lasted, 25 s from its onset" in judged(seen).because


def test_taking_longer_than_allowed_is_missed_and_names_the_worst_window() -> None:
    one = judged(spike(lasts_s=20, slow=range(56)))
    assert (one.outcome, one.measured) == (Outcome.MISSED, "40 s")
    assert "The worst window, at" in one.because
    assert "P95 1,000 ms" in one.because


def test_a_relapse_counts_for_they_must_stay_held() -> None:
    one = judged(spike(lasts_s=20, slow=[*range(10), 61]))
    assert (one.outcome, one.measured) == (Outcome.MISSED, "45 s")


def test_failures_break_the_promise_of_errors_however_fast_they_are() -> None:
    one = judged(spike(failing=range(40)))
    assert (one.outcome, one.measured) == (Outcome.MET, "20 s")
    assert judged(spike(failing=range(60))).outcome is Outcome.MISSED


@pytest.mark.parametrize(("of_100", "outcome"), [(3, Outcome.MET), (4, Outcome.MISSED)])
def test_a_window_at_its_error_limit_is_not_below_it(of_100: int, outcome: Outcome) -> None:
    seen = load_of(spike())
    failing = np.where(np.arange(110) >= 50, of_100, 0)
    load = replace(seen, failed=failing, ok=100 - failing)
    assert judged(replace(spike(), client=load)).outcome is outcome


def test_a_failure_that_took_long_counts_as_slow_and_a_fast_one_does_not_help() -> None:
    seen = load_of(spike())
    failing = np.where(np.arange(110) >= 50, 3, 0)  # 3 of 100 from the spike's end on: within the promise of errors
    load = replace(seen, failed=failing, ok=100 - failing)
    slow = LatencyTable(values_us=np.array([450_000]), counts=(2 * failing)[:, None])
    fast = LatencyTable(values_us=np.array([1000]), counts=failing[:, None])
    assert judged(replace(spike(), client=replace(load, failed_latency=slow))).outcome is Outcome.MISSED
    assert judged(replace(spike(), client=replace(load, failed_latency=fast))).outcome is Outcome.MET


# --- watched too little to say ------------------------------------------------------------------------


def test_broken_to_the_end_of_a_long_enough_watch_is_missed() -> None:
    one = judged(spike(after_s=40, slow=range(60)))
    assert (one.outcome, one.measured) == (Outcome.MISSED, "not within 40 s")
    assert "not back within 40 s of observation after the spike's end" in one.because


def test_broken_to_the_end_of_a_watch_shorter_than_what_was_given_is_unproven() -> None:
    one = judged(spike(after_s=25, slow=range(45)))
    assert one.outcome is Outcome.UNPROVEN
    assert "not back within 25 s of observation after the spike's end, and 30 s were given" in one.because


def test_a_load_that_ended_just_after_they_held_again_has_not_shown_that_they_stay_held() -> None:
    one = judged(spike(after_s=25, slow=range(30)))
    assert one.outcome is Outcome.UNPROVEN
    assert one.because.startswith("held again for only 15 s when the watch ended, and 20 s are needed: back 10 s after")


def test_a_load_that_ended_with_the_spike_shows_no_recovery() -> None:
    assert judged(spike(after_s=0)).outcome is Outcome.UNPROVEN
    cut = replace(spike(lasts_s=20, after_s=0), until_unix_s=START + 10)
    assert "no load was driven after the spike" in judged(cut).because


def test_windows_with_few_requests_prove_nothing_in_either_direction() -> None:
    quiet = judged(spike(rps=14))  # 70 in a window, and 74 are needed
    assert (quiet.outcome, quiet.measured) == (Outcome.UNPROVEN, "—")
    assert "not seen to leave its promises" in quiet.because
    assert judged(spike(rps=15)).outcome is Outcome.MET
    assert judged(spike(rps=11, slow=range(80))).outcome is Outcome.UNPROVEN


def test_too_few_requests_after_broken_windows_are_unproven_unless_those_already_took_too_long() -> None:
    def thin_from(at: int, seen: SpikeSeen) -> SpikeSeen:
        load, thin = load_of(seen), np.where(np.arange(110) >= at + 30, 0.1, 1.0)
        counts = (load.answered.counts * thin[:, None]).astype(np.int64)
        fewer = replace(load, sent=(load.sent * thin).astype(np.int64), answered=replace(load.answered, counts=counts))
        return replace(seen, client=fewer)

    unproven = judged(thin_from(40, spike(slow=range(35))))
    assert unproven.outcome is Outcome.UNPROVEN
    assert "8 of 16 windows of 5 s had under 74 requests and prove nothing" in unproven.because
    assert judged(thin_from(60, spike(slow=range(60)))).outcome is Outcome.MISSED


def test_promises_broken_before_the_spike_are_told() -> None:
    one = judged(spike(slow=range(-10, 40)))
    assert one.outcome is Outcome.MET
    assert "before the spike 2 of 6 windows were broken, too" in one.because


@pytest.mark.parametrize("nothing", [NotSeen("no load began"), ()])
def test_no_spike_never_passes(nothing: NotSeen | tuple[SpikeSeen, ...]) -> None:
    assert judge((ASKED,), evidence(spikes=nothing), ()).judgements[0].outcome is Outcome.UNPROVEN


def test_a_spike_of_which_nothing_was_reported_never_passes() -> None:
    assert judged(replace(spike(), client=NotSeen("no worker reported anything"))).outcome is Outcome.UNPROVEN


def test_of_several_spikes_the_worst_decides_and_is_named() -> None:
    one = judged(spike(), spike(slow=range(60)), spike(slow=range(5)))
    assert (one.outcome, one.measured) == (Outcome.MISSED, "40 s")
    assert one.because.startswith("spike 2 of 3: back 40 s after the spike's end")


# --- windows -----------------------------------------------------------------------------------------


def test_one_window_begins_exactly_where_the_spike_ends_and_no_second_is_left_out() -> None:
    seen = spike(before_s=13, lasts_s=17, after_s=23)
    edges = [(int(one.start_unix_s) - START, int(one.end_unix_s) - START) for one in promise_windows(ASKED, seen)]
    assert edges == [(-13, -5), (-5, 0), (0, 7), (7, 12), (12, 17), (17, 22), (22, 27), (27, 32), (32, 40)]


@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 60), st.integers(1, 12))
def test_windows_cover_every_second_once_and_never_cross_the_spikes_bounds(
    before_s: int, lasts_s: int, after_s: int, window_s: int
) -> None:
    seen = spike(before_s=before_s, lasts_s=lasts_s, after_s=after_s)
    found = promise_windows(replace(ASKED, window_s=window_s), seen)
    covered = [second for one in found for second in range(int(one.start_unix_s), int(one.end_unix_s))]
    assert covered == list(range(START - before_s, START + lasts_s + after_s))
    for bound in (START, START + lasts_s):
        assert not any(one.start_unix_s < bound < one.end_unix_s for one in found)


SECONDS = st.sets(st.integers(-30, 79), max_size=12)


@given(SECONDS, SECONDS)
def test_the_figure_is_what_counting_seconds_by_hand_gives(slow: set[int], failing: set[int]) -> None:
    """A window of 5 s breaks when more than a twentieth is slow or 4 % fail: one bad second of five is enough."""
    bad = {at for at in slow | failing if at >= 0}
    last = max(bad, default=None)
    by_hand = 0 if last is None else (last // 5 + 1) * 5
    seen = recovered(ASKED, spike(slow=slow, failing=failing))
    assert seen.soonest_unix_s - START == by_hand
    assert seen.back_unix_s == (None if last is not None and last >= 75 else START + by_hand)
    assert len(seen.broken) == len({at // 5 for at in bad})


@given(SECONDS, st.sampled_from([ASKED, FROM_ONSET]), st.integers(5, 90), st.integers(0, 60))
def test_more_time_never_turns_a_met_and_worse_seconds_never_help(
    slow: set[int], asked: Recovery, within_s: int, more_s: int
) -> None:
    strict = judged(spike(slow=slow), asked=asked, within_s=within_s).outcome
    lax = judged(spike(slow=slow), asked=asked, within_s=within_s + more_s).outcome
    assert lax is Outcome.MET or strict is not Outcome.MET
    worse = judged(spike(slow=slow | {70}), asked=asked, within_s=within_s).outcome
    assert worse is not Outcome.MET or strict is Outcome.MET


@given(SECONDS, st.integers(1, 14))
def test_too_few_requests_never_pass_and_never_fail(slow: set[int], rps: int) -> None:
    windows = promise_windows(ASKED, spike(rps=rps, slow=slow))
    assert all(one.promise is not Promise.KEPT for one in windows)
    if 5 * rps < 59:
        assert judged(spike(rps=rps, slow=slow)).outcome is Outcome.UNPROVEN
