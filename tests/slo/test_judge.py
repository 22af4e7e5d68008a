"""What is met, missed and unproven, and what a run comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.evidence import Evidence, NotSeen
from slo.judge import judge, run_outcome
from slo.objective import Availability, Backlog, ErrorRatio, Latency, Objective, Scaling, Throughput
from slo.validity import FindingKind, Severity
from slo.verdict import Judgement, Outcome, RunOutcome
from slo.voiding import EFFECTS
from tests.slo.builders import (
    START,
    autoscaler,
    client,
    condition,
    every_second,
    evidence,
    finding,
    queue,
    scale_up,
    server,
    table,
    unseen,
)  # fmt: skip

THROUGHPUT = Throughput(name="throughput")
P95 = Latency(name="p95", quantile_ratio=0.95, below_ms=450)
P99 = Latency(name="p99", quantile_ratio=0.99, below_ms=900)
ERRORS = ErrorRatio(name="errors", below_ratio=0.04)
AVAILABILITY = Availability(name="availability", at_least_ratio=0.999)
BACKLOG = Backlog(name="backlog")
SCALING = Scaling(name="scaling")
ALL: tuple[Objective, ...] = (THROUGHPUT, P95, P99, ERRORS, AVAILABILITY, BACKLOG, SCALING)


def judged(objective: Objective, seen: Evidence, *kinds: FindingKind) -> Judgement:
    return judge((objective,), seen, tuple(finding(kind) for kind in kinds)).judgements[0]


def outcome(objective: Objective, seen: Evidence, *kinds: FindingKind) -> Outcome:
    return judged(objective, seen, *kinds).outcome


def test_a_good_run_passes() -> None:
    verdict = judge(ALL, evidence(), ())
    assert [one.outcome for one in verdict.judgements] == [Outcome.MET] * 7
    assert verdict.outcome is RunOutcome.PASSED


@pytest.mark.parametrize("objective", ALL, ids=lambda one: one.kind)
def test_silence_proves_nothing(objective: Objective) -> None:
    answer = judged(objective, unseen())
    assert answer.outcome is Outcome.UNPROVEN
    assert "nothing was recorded" in answer.because


def test_no_objectives_prove_nothing() -> None:
    assert judge((), evidence(), ()).outcome is RunOutcome.NOT_PROVEN


def test_what_is_not_required_does_not_decide() -> None:
    wished = replace(P95, required=False, below_ms=1)
    assert judge((wished, ERRORS), evidence(), ()).outcome is RunOutcome.PASSED
    assert judge((wished,), evidence(), ()).outcome is RunOutcome.NOT_PROVEN


def test_one_missed_fails_and_one_unproven_does_not_pass() -> None:
    met, missed, unproven = (
        judged(ERRORS, evidence()),
        judged(ERRORS, evidence(client=client(failed=10))),
        judged(ERRORS, unseen()),
    )
    assert run_outcome((met, missed, unproven)) is RunOutcome.FAILED
    assert run_outcome((met, unproven)) is RunOutcome.NOT_PROVEN


class TestThroughput:
    def test_a_window_exactly_at_the_rate_is_enough(self) -> None:
        assert outcome(THROUGHPUT, evidence(rate_to_prove_rps=100)) is Outcome.MET

    def test_one_window_one_request_short_is_missed_and_named(self) -> None:
        ok = np.full(60, 100)
        ok[25] = 99
        answer = judged(THROUGHPUT, evidence(rate_to_prove_rps=100, client=client(ok=ok)))
        assert answer.outcome is Outcome.MISSED
        assert "5 of 6 windows" in answer.because
        assert "had 999" in answer.because

    def test_a_rest_shorter_than_a_window_is_judged_by_a_window_that_ends_with_it(self) -> None:
        ok = np.full(65, 100)
        assert "7 of 7 windows" in judged(THROUGHPUT, evidence(client=client(seconds=65, ok=ok))).because
        ok[60:] = 0
        answer = judged(THROUGHPUT, evidence(client=client(seconds=65, ok=ok)))
        assert answer.outcome is Outcome.MISSED
        assert "6 of 7 windows" in answer.because
        assert "had 500" in answer.because

    def test_the_rest_of_a_hold_that_was_cut_short_misses_nothing(self) -> None:
        ok = np.full(65, 100)
        ok[64] = 0  # in flight when the load was stopped
        seen = evidence(client=client(seconds=65, ok=ok), hold_complete=False, rate_to_prove_rps=95)
        assert outcome(THROUGHPUT, seen) is Outcome.UNPROVEN

    def test_a_hold_without_a_whole_window_proves_nothing(self) -> None:
        assert outcome(THROUGHPUT, evidence(client=client(seconds=9))) is Outcome.UNPROVEN

    def test_a_hold_cut_short_was_not_sustained_but_a_miss_stands(self) -> None:
        assert outcome(THROUGHPUT, evidence(hold_complete=False)) is Outcome.UNPROVEN
        assert outcome(THROUGHPUT, evidence(hold_complete=False, rate_to_prove_rps=200)) is Outcome.MISSED

    def test_a_rate_of_its_own_goes_before_the_plans(self) -> None:
        assert outcome(Throughput(name="t", at_least_rps=101), evidence()) is Outcome.MISSED


class TestLatency:
    def test_clearly_below_is_met_and_clearly_above_missed(self) -> None:
        slow = client(answered=table([20, 2000], [90, 10], 60))
        assert outcome(P95, evidence()) is Outcome.MET
        assert outcome(P95, evidence(client=slow, server=NotSeen("none"))) is Outcome.MISSED

    def test_a_limit_inside_the_interval_is_unproven_and_says_how_much_longer(self) -> None:
        counts = np.zeros((60, 2), dtype=np.int64)
        counts[:, 0] = 95
        counts[:, 1] = np.where(np.arange(60) // 5 % 2, 1, 9)
        both = client(answered=replace(table([20, 2000], [95, 5], 60), counts=counts))
        answer = judged(P95, evidence(client=both, server=NotSeen("none")))
        assert answer.outcome is Outcome.UNPROVEN
        assert "more of hold would decide" in answer.because

    def test_a_percentile_at_the_limit_is_not_below_it(self) -> None:
        at_the_limit = client(answered=table([450], [100], 60))
        assert outcome(P95, evidence(client=at_the_limit, server=NotSeen("none"))) is Outcome.MISSED

    def test_an_interval_that_ends_at_the_limit_proves_nothing(self) -> None:
        counts = np.zeros((60, 2), dtype=np.int64)
        counts[:, 0] = np.where(np.arange(60) // 5 % 2, 99, 91)
        counts[:, 1] = 100 - counts[:, 0]
        reaches = client(answered=replace(table([20, 450], [95, 5], 60), counts=counts))
        assert outcome(P95, evidence(client=reaches, server=NotSeen("none"))) is Outcome.UNPROVEN

    def test_fast_failures_never_help(self) -> None:
        slow = table([20, 2000], [80, 10], 60)
        failing = client(failed=10, answered=slow, failed_latency=table([1], [1000], 60))
        assert outcome(P95, evidence(client=failing, server=NotSeen("none"))) is Outcome.MISSED

    def test_unanswered_requests_count_at_their_time_out(self) -> None:
        hanging = client(failed=10, failed_latency=table([10_000], [10], 60))
        assert outcome(P95, evidence(client=hanging, server=NotSeen("none"))) is Outcome.MISSED

    @pytest.mark.parametrize("requests", [2999, 12_001])
    def test_a_histogram_of_other_requests_than_the_counters_vetoes_nothing(self, requests: int) -> None:
        answer = judged(P95, evidence(server=replace(server(slow=600), requests=requests)))
        assert answer.outcome is Outcome.MET
        assert "not the same ones" in answer.server_side

    def test_a_server_side_miss_vetoes(self) -> None:
        answer = judged(P95, evidence(server=server(slow=600)))
        assert answer.outcome is Outcome.MISSED
        assert "server's own histogram" in answer.because

    def test_a_server_that_cannot_tell_does_not_veto(self) -> None:
        unsure = replace(server(), buckets=((0.1, 0.0), (5.0, 6000.0), (float("inf"), 6000.0)))
        answer = judged(P95, evidence(server=unsure))
        assert answer.outcome is Outcome.MET
        assert "a bucket bound at 0.45 s would decide" in answer.server_side

    def test_too_few_requests_say_nothing(self) -> None:
        few = client(seconds=50, answered=table([20], [1], 50))
        answer = judged(P99, evidence(client=few))
        assert answer.outcome is Outcome.UNPROVEN
        # ln 0.05 / ln 0.99 = 299; at one request a second 249 s more
        assert "P99 needs at least 299 requests and had 50; about 5 min more of hold" in answer.because


class TestCounts:
    def test_a_ratio_exactly_at_an_upper_limit_is_missed(self) -> None:
        assert outcome(ERRORS, evidence(client=client(failed=4))) is Outcome.MISSED
        assert outcome(ERRORS, evidence(client=client(failed=3))) is Outcome.MET

    def test_999_of_1000_meets_three_nines(self) -> None:
        unavailable = np.zeros(10, dtype=np.int64)
        unavailable[0] = 1
        seen = evidence(client=client(seconds=10, unavailable=unavailable), server=NotSeen("none"))
        assert outcome(AVAILABILITY, seen) is Outcome.MET
        unavailable = unavailable * 2
        seen = evidence(client=client(seconds=10, unavailable=unavailable), server=NotSeen("none"))
        assert outcome(AVAILABILITY, seen) is Outcome.MISSED

    def test_thirty_days_stay_unproven_in_words(self) -> None:
        assert "30 days" in judged(AVAILABILITY, evidence()).because

    def test_the_servers_own_errors_veto(self) -> None:
        assert outcome(ERRORS, evidence(server=server(errors=600))) is Outcome.MISSED
        assert outcome(ERRORS, evidence(server=server(errors=240))) is Outcome.MISSED  # 240 of 6,000 are not below 4 %
        assert outcome(ERRORS, evidence(server=server(errors=239))) is Outcome.MET
        assert outcome(AVAILABILITY, evidence(server=server(errors=60))) is Outcome.MISSED

    def test_a_hold_cut_short_proves_no_error_rate(self) -> None:
        assert outcome(ERRORS, evidence(hold_complete=False)) is Outcome.UNPROVEN


class TestBacklog:
    def test_a_queue_that_grows_over_the_hold_is_missed(self) -> None:
        growing = [0.0] * 10 + [second * 50.0 for second in range(60)] + [0.0] * 60
        answer = judged(BACKLOG, evidence(backlogs=(queue(growing),)))
        assert answer.outcome is Outcome.MISSED
        assert "commands grew by about 2,950" in answer.because

    def test_a_queue_that_wanders_does_not_grow(self) -> None:
        wandering = [0.0] * 10 + [30.0 * (second % 7) for second in range(60)] + [0.0] * 60
        assert outcome(BACKLOG, evidence(backlogs=(queue(wandering),))) is Outcome.MET

    def test_what_grows_by_more_than_its_steps_wander_is_missed(self) -> None:
        climbing = [0.0] * 10 + [10.0 * second + 100.0 * (second % 2) for second in range(60)] + [0.0] * 60
        assert outcome(BACKLOG, evidence(backlogs=(queue(climbing),))) is Outcome.MISSED

    @pytest.mark.parametrize(("samples", "expected"), [(4, Outcome.UNPROVEN), (5, Outcome.MET)])
    def test_a_handful_of_samples_in_the_hold_is_no_trend(self, samples: int, expected: Outcome) -> None:
        whole = queue([0.0] * 130)
        seen = np.r_[0:10, 10 : 10 + samples, 70:130]  # the hold is from the 10th to the 70th
        few = replace(whole, at_unix_s=whole.at_unix_s[seen], depth=whole.depth[seen])
        assert outcome(BACKLOG, evidence(backlogs=(few,))) is expected

    def test_what_is_not_worked_off_in_time_is_missed(self) -> None:
        left = [0.0] * 10 + [500.0] * 125
        assert outcome(BACKLOG, evidence(backlogs=(queue(left),))) is Outcome.MISSED

    def test_a_watch_that_ended_too_early_proves_nothing(self) -> None:
        left = [0.0] * 10 + [500.0] * 70
        seen = evidence(backlogs=(queue(left),), watched_until_unix_s=START + 70)
        assert outcome(BACKLOG, seen) is Outcome.UNPROVEN

    def test_one_bad_queue_among_good_ones_decides(self) -> None:
        growing = [0.0] * 10 + [second * 50.0 for second in range(60)] + [0.0] * 60
        seen = evidence(backlogs=(queue([0.0] * 130, name="good"), queue(growing, name="bad")))
        assert "bad" in judged(BACKLOG, seen).because


class TestScaling:
    def test_at_the_maximum_while_wanting_more_is_missed(self) -> None:
        more = autoscaler(desired=[10] * 60, wanted_more=np.ones(60, dtype=np.bool_))
        answer = judged(SCALING, evidence(autoscalers=(more,)))
        assert answer.outcome is Outcome.MISSED
        assert "TooManyReplicas" in answer.because

    def test_at_the_maximum_without_wanting_more_has_no_headroom(self) -> None:
        assert outcome(SCALING, evidence(autoscalers=(autoscaler(desired=[10] * 60),))) is Outcome.MISSED

    def test_replicas_that_do_not_get_ready_are_missed(self) -> None:
        unready = autoscaler(desired=[5] * 60, ready=[5] * 50 + [4] * 10)
        assert outcome(SCALING, evidence(autoscalers=(unready,))) is Outcome.MISSED

    def test_a_scale_up_that_reaches_into_a_short_hold_proves_nothing(self) -> None:
        late = autoscaler(desired=[8] * 60, ready=[5] * 10 + [8] * 50)
        answer = judged(SCALING, evidence(autoscalers=(late,)))
        assert answer.outcome is Outcome.UNPROVEN
        assert "a hold of 120 s would decide" in answer.because

    def test_a_scale_up_within_the_last_stretch_of_a_long_hold_is_missed(self) -> None:
        late = autoscaler(desired=[5] * 150 + [8] * 30, ready=[5] * 155 + [8] * 25)
        assert outcome(SCALING, evidence(seconds=180, autoscalers=(late,))) is Outcome.MISSED

    def test_a_scale_up_before_the_last_stretch_is_fine(self) -> None:
        early = autoscaler(desired=[5] * 20 + [8] * 40, ready=[5] * 25 + [8] * 35)
        settled = replace(SCALING, settled_for_s=30)
        assert outcome(settled, evidence(autoscalers=(early,))) is Outcome.MET

    def test_the_reason_and_how_long_are_named(self) -> None:
        wanting = np.zeros(60, dtype=np.bool_)
        wanting[10:52] = True
        one = autoscaler(desired=[3] * 60, max_replicas=3, wanted_more=wanting, name="api-gateway")
        because = judged(SCALING, evidence(autoscalers=(one,))).because
        told = "api-gateway: at max 3 while wanting more (ScalingLimited: TooManyReplicas) for 42 s, from 14:13:30 UTC"
        assert because == told

    @pytest.mark.parametrize(("lasted_s", "outcome"), [(44, Outcome.MET), (45, Outcome.UNPROVEN)])
    def test_an_autoscaler_that_cannot_read_its_metrics_for_long_proves_nothing(
        self, lasted_s: int, outcome: Outcome
    ) -> None:
        blind = condition("ScalingActive", holds=False, reason="FailedGetPodsMetric", start=5, lasted_s=lasted_s)
        answer = judged(SCALING, evidence(autoscalers=(autoscaler(conditions=(blind,)),)))
        assert answer.outcome is outcome
        assert ("FailedGetPodsMetric" in answer.because) == (outcome is Outcome.UNPROVEN)

    def test_a_promise_about_a_shorter_stretch_is_unproven_by_a_failure_as_long_as_that(self) -> None:
        blind = condition("ScalingActive", holds=False, reason="FailedGetPodsMetric", start=40, lasted_s=15)
        short = Scaling(name="scaling", settled_for_s=15)
        answer = judged(short, evidence(autoscalers=(autoscaler(conditions=(blind,)),)))
        assert answer.outcome is Outcome.UNPROVEN
        assert "FailedGetPodsMetric" in answer.because

    def test_failures_of_several_reasons_one_after_the_other_are_one(self) -> None:
        first = condition("ScalingActive", holds=False, reason="FailedGetPodsMetric", start=5, lasted_s=25)
        then = condition("ScalingActive", holds=False, reason="FailedGetResourceMetric", start=30, lasted_s=25)
        answer = judged(SCALING, evidence(autoscalers=(autoscaler(conditions=(first, then)),)))
        assert answer.outcome is Outcome.UNPROVEN
        assert "for 50 s" in answer.because

    def test_what_it_could_not_read_before_the_hold_is_no_matter(self) -> None:
        before = condition("ScalingActive", holds=False, reason="FailedGetPodsMetric", start=-100, lasted_s=110)
        assert judged(SCALING, evidence(autoscalers=(autoscaler(conditions=(before,)),))).outcome is Outcome.MET

    def test_a_limit_below_the_minimum_is_benign(self) -> None:
        few = condition("ScalingLimited", holds=True, reason="TooFewReplicas", start=0, lasted_s=60)
        assert judged(SCALING, evidence(autoscalers=(autoscaler(conditions=(few,)),))).outcome is Outcome.MET

    def test_to_have_wanted_more_stands_although_the_metrics_failed_later(self) -> None:
        wanting = np.zeros(60, dtype=np.bool_)
        wanting[:5] = True
        blind = condition("ScalingActive", holds=False, reason="FailedGetPodsMetric", start=5, lasted_s=55)
        one = autoscaler(wanted_more=wanting, conditions=(blind,))
        assert judged(SCALING, evidence(autoscalers=(one,))).outcome is Outcome.MISSED

    def test_how_the_slowest_scale_up_went_is_told_with_what_is_met(self) -> None:
        ups = (scale_up(took_s=8), scale_up(took_s=19))
        because = judged(SCALING, evidence(autoscalers=(autoscaler(scale_ups=ups),))).because
        assert because == (
            "all 1 autoscalers settled: core 5 of 10; 2 scale-ups, the slowest, core 2 → 5, took 19 s from the load's "
            "step to ready, 14 s of it because pods were slow to become ready"
        )

    def test_a_hold_shorter_than_the_stretch_proves_nothing(self) -> None:
        assert outcome(replace(SCALING, settled_for_s=90), evidence()) is Outcome.UNPROVEN


class TestFindings:
    def test_lag_takes_a_missed_latency_and_leaves_a_met_one(self) -> None:
        slow = evidence(client=client(answered=table([20, 2000], [90, 10], 60)), server=NotSeen("none"))
        assert outcome(P95, slow, FindingKind.SCHEDULE_LAG) is Outcome.UNPROVEN
        assert outcome(P95, evidence(), FindingKind.SCHEDULE_LAG) is Outcome.MET

    def test_a_shortfall_takes_a_met_latency_and_leaves_a_missed_one(self) -> None:
        slow = evidence(client=client(answered=table([20, 2000], [90, 10], 60)), server=NotSeen("none"))
        assert outcome(P95, evidence(), FindingKind.LOAD_SHORTFALL) is Outcome.UNPROVEN
        assert outcome(P95, slow, FindingKind.LOAD_SHORTFALL) is Outcome.MISSED

    def test_a_shortfall_takes_a_missed_throughput_which_it_may_have_made(self) -> None:
        short = evidence(rate_to_prove_rps=200)
        assert outcome(THROUGHPUT, short, FindingKind.LOAD_SHORTFALL) is Outcome.UNPROVEN
        assert outcome(THROUGHPUT, evidence(), FindingKind.LOAD_SHORTFALL) is Outcome.MET

    def test_the_cause_is_named_where_an_outcome_fell(self) -> None:
        answer = judged(P95, evidence(), FindingKind.WORKER_LOST)
        assert answer.voided_by == ("worker-lost",)
        assert "MET by the figures, but void (worker-lost)" in answer.because

    def test_a_warning_takes_nothing_away(self) -> None:
        warning = finding(FindingKind.LOAD_SHORTFALL, Severity.WARNS)
        assert judge((P95,), evidence(), (warning,)).judgements[0].outcome is Outcome.MET

    def test_every_kind_has_its_line_in_the_table(self) -> None:
        assert set(EFFECTS) == set(FindingKind)


def test_a_poll_that_asks_a_hundred_times_hides_no_failure() -> None:
    # of 100 answers a second 90 said "not yet", and of the ten that are left one failed
    asked = evidence(client=client(rps=100, failed=1, not_yet=every_second(90, 60)), rate_to_prove_rps=10)
    assert {one.outcome for one in judge((ERRORS, THROUGHPUT), asked, ()).judgements} == {Outcome.MISSED}
    assert outcome(AVAILABILITY, asked) is outcome(AVAILABILITY, evidence(client=client(rps=100, failed=1)))


kinds = st.sampled_from(list(FindingKind))


@given(st.lists(kinds, max_size=5), st.integers(0, 30), st.integers(0, 20), st.booleans())
def test_a_finding_never_turns_anything_into_met(
    found: list[FindingKind], failed: int, unsent: int, whole: bool
) -> None:
    seen = evidence(client=client(failed=failed, unsent=unsent), hold_complete=whole)
    for objective in ALL:
        before, after = outcome(objective, seen), outcome(objective, seen, *found)
        assert after in (before, Outcome.UNPROVEN)


@given(st.integers(0, 50), st.integers(1, 49))
def test_more_failures_never_help(failed: int, more: int) -> None:
    order: dict[Any, int] = {Outcome.MISSED: 0, Outcome.UNPROVEN: 1, Outcome.MET: 2}
    for objective in (THROUGHPUT, ERRORS, AVAILABILITY):
        fewer = order[outcome(objective, evidence(client=client(failed=failed)))]
        assert order[outcome(objective, evidence(client=client(failed=failed + more)))] <= fewer
