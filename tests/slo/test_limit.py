"""The limit that a search found: when it is met, missed, unproven; and what one level says."""

from __future__ import annotations

from typing import Any

import pytest

from slo.evidence import LimitSeen
from slo.judge import judge
from slo.level import LevelOutcome, LevelSays, level_says
from slo.objective import Backlog, ErrorRatio, Latency, Limit
from slo.validity import FindingKind
from slo.verdict import Judgement, Outcome, RunOutcome
from tests.slo.builders import client, evidence, finding, table

ASKED = Limit(name="limit", at_least_rps=1000)
BY_LATENCY = LevelSays(outcome=LevelOutcome.MISSED, by=("p95-latency",), because="P95 612 ms")
UNDECIDED = LevelSays(outcome=LevelOutcome.UNDECIDED, by=("p95-latency",), because="the limit lies inside")
OF_OURS = LevelSays(outcome=LevelOutcome.VOID, by=("schedule-lag",), because="Requests were written late.")


def seen(
    met: float | None = 1960, ceiling: float | None = 2000, by: LevelSays | None = BY_LATENCY, **changes: Any
) -> LimitSeen:
    missed = by if by and by.outcome is LevelOutcome.MISSED else None
    return LimitSeen(
        **{
            "met_rps": met,
            "ceiling_rps": ceiling,
            "ceiling": by,
            "levels": 8,
            "ended_because": "it is known",
            "missed_rps": ceiling if missed else None,
            "missed": missed,
            **changes,
        }
    )


def judged(limit: LimitSeen, asked: Limit = ASKED) -> Judgement:
    return judge((asked,), evidence(limit=limit), ()).judgements[0]


def test_an_interval_as_narrow_as_asked_above_the_rate_asked_is_met() -> None:
    one = judged(seen())
    assert one.outcome is Outcome.MET
    assert "Met at 1,960 rps; missed at 2,000 rps by p95-latency: P95 612 ms" in one.because
    assert one.interval == "1,960 – 2,000 rps"


def test_a_limit_below_the_rate_asked_is_missed_however_wide_the_interval() -> None:
    assert judged(seen(met=None, ceiling=800)).outcome is Outcome.MISSED
    assert judged(seen(met=300, ceiling=900)).outcome is Outcome.MISSED


def test_an_interval_wider_than_asked_is_unproven() -> None:
    one = judged(seen(met=1500))
    assert one.outcome is Outcome.UNPROVEN
    assert "25.00 % wide, wider than asked" in one.because


def test_where_the_generator_was_the_end_of_it_nothing_is_proven_above() -> None:
    one = judged(seen(by=OF_OURS))
    assert one.outcome is Outcome.UNPROVEN
    assert "NOT PROVEN above it" in one.because
    assert "schedule-lag" in one.because


def test_a_generator_that_fails_below_the_rate_asked_is_no_miss_of_the_platform() -> None:
    assert judged(seen(met=500, ceiling=520, by=OF_OURS)).outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("below", [OF_OURS, UNDECIDED])
def test_what_the_platform_missed_below_the_rate_asked_is_missed_whatever_a_lower_level_was(below: LevelSays) -> None:
    one = judged(seen(met=400, ceiling=600, by=below, missed_rps=800, missed=BY_LATENCY))
    assert one.outcome is Outcome.MISSED
    assert "missed at 800 rps by p95-latency: P95 612 ms" in one.because


def test_an_upper_end_that_is_undecided_is_no_miss_of_a_rate_asked_above_it_and_not_said_to_hold_it() -> None:
    one = judged(seen(met=500, ceiling=520, by=UNDECIDED))
    assert one.outcome is Outcome.UNPROVEN
    assert "The 1,000 rps asked lie above the interval" in one.because


def test_where_nothing_was_met_and_the_platform_missed_only_above_the_rate_asked_both_is_said() -> None:
    one = judged(seen(met=None, ceiling=1500))
    assert one.outcome is Outcome.UNPROVEN
    assert "own doing" not in one.because


def test_an_undecided_upper_end_counts_as_not_met_and_says_so() -> None:
    one = judged(seen(by=UNDECIDED))
    assert one.outcome is Outcome.MET
    assert "undecided, which counts as not met, at 2,000 rps" in one.because


def test_a_platform_never_missed_has_its_limit_above() -> None:
    one = judged(seen(ceiling=None, by=None))
    assert one.outcome is Outcome.UNPROVEN
    assert "the limit lies above" in one.because


def test_a_rate_asked_that_lies_inside_the_interval_is_unproven() -> None:
    assert judged(seen(met=980, ceiling=1010)).outcome is Outcome.UNPROVEN


def test_without_a_search_the_limit_is_unproven() -> None:
    assert judge((ASKED,), evidence(), ()).outcome is RunOutcome.NOT_PROVEN


# --- one level ------------------------------------------------------------------------------------

P95 = Latency(name="p95", quantile_ratio=0.95, below_ms=450)
ERRORS = ErrorRatio(name="errors", below_ratio=0.04)
SLOW = client(answered=table([600], [100], 60))


def test_one_missed_objective_makes_a_level_missed_by_it() -> None:
    says = level_says(judge((P95, ERRORS), evidence(client=SLOW), ()))
    assert (says.outcome, says.by) == (LevelOutcome.MISSED, ("p95",))


def test_a_level_is_met_when_all_required_objectives_are() -> None:
    assert level_says(judge((P95, ERRORS), evidence(), ())).outcome is LevelOutcome.MET


def test_a_miss_that_our_own_lag_could_have_made_is_void_by_its_cause() -> None:
    says = level_says(judge((P95, ERRORS), evidence(client=SLOW), (finding(FindingKind.SCHEDULE_LAG),)))
    assert (says.outcome, says.by) == (LevelOutcome.VOID, ("schedule-lag",))


def test_a_miss_that_stands_beside_a_void_one_is_still_a_miss() -> None:
    failing = client(failed=50, answered=table([600], [50], 60))
    says = level_says(judge((P95, ERRORS), evidence(client=failing), (finding(FindingKind.LOAD_SHORTFALL),)))
    assert says.outcome is LevelOutcome.MISSED


def test_an_open_objective_leaves_a_level_undecided() -> None:
    open_still = evidence(backlogs=())
    assert level_says(judge((P95, Backlog(name="b")), open_still, ())).outcome is LevelOutcome.UNDECIDED
    assert level_says(judge((P95, Backlog(name="b")), open_still, ()), besides=("backlog",)).outcome is LevelOutcome.MET


def test_without_any_objective_nothing_is_met() -> None:
    assert level_says(judge((), evidence(), ())).outcome is LevelOutcome.UNDECIDED
