"""Journeys: a flow is met when enough of those that ended came to their end, each flow by itself."""

from __future__ import annotations

from typing import Any

import pytest

from slo.evidence import NotSeen
from slo.judge import judge
from slo.objective import Journeys
from slo.validity import FindingKind
from slo.verdict import Judgement, Outcome
from tests.slo.builders import evidence, finding, journeys

NINETY = Journeys(name="journeys", at_least_ratio=0.9)


def judged(objective: Journeys, *seen: Any, found: tuple[FindingKind, ...] = (), **changes: Any) -> Judgement:
    told = evidence(journeys=seen, **changes)
    return judge((objective,), told, tuple(finding(kind) for kind in found)).judgements[0]


@pytest.mark.parametrize(
    ("ended", "failed", "outcome"),
    [(100, 0, Outcome.MET), (90, 10, Outcome.MET), (899, 101, Outcome.MISSED), (0, 1, Outcome.MISSED)],
)
def test_the_share_is_of_those_that_ended_and_exact(ended: int, failed: int, outcome: Outcome) -> None:
    assert judged(NINETY, journeys(ended=ended, failed=failed)).outcome is outcome


def test_each_flow_must_reach_it_and_the_worst_is_told() -> None:
    one = judged(NINETY, journeys("browse", ended=9000), journeys("booking", ended=6, failed=4))
    assert (one.outcome, one.measured) == (Outcome.MISSED, "60.00 %, booking")
    assert one.because == (
        "browse: 9,000 of 9,000 came to their end (100.00 %); "
        "booking: 6 of 10 came to their end (60.00 %); failed: 4 at pay"
    )


def test_it_may_be_about_some_flows() -> None:
    browse = Journeys(name="browse", at_least_ratio=0.9, flows=("browse",))
    one = judged(browse, journeys("browse"), journeys("booking", ended=0, failed=9))
    assert (one.outcome, one.target) == (Outcome.MET, "journeys to their end ≥ 90 %, of browse")


def test_a_flow_of_which_no_journey_ended_proves_nothing_and_hides_no_miss() -> None:
    none = journeys("booking", ended=0)
    assert judged(NINETY, journeys("browse"), none).outcome is Outcome.UNPROVEN
    assert judged(NINETY, none).because == "booking: no journey ended in the hold"
    assert judged(NINETY, journeys("browse", failed=99), none).outcome is Outcome.MISSED


def test_what_was_not_seen_or_not_held_to_the_end_proves_nothing() -> None:
    assert judge((NINETY,), evidence(journeys=NotSeen("the workload has no flow")), ()).judgements[0].because == (
        "the workload has no flow"
    )
    assert judged(Journeys(name="j", at_least_ratio=0.5, flows=("pay",)), journeys()).outcome is Outcome.UNPROVEN
    assert judged(NINETY, journeys(), hold_complete=False).outcome is Outcome.UNPROVEN
    assert judged(NINETY, journeys(failed=50), hold_complete=False).outcome is Outcome.MISSED


def test_arrivals_that_golive_did_not_send_take_both_outcomes() -> None:
    for seen in (journeys(), journeys(failed=50)):
        assert judged(NINETY, seen, found=(FindingKind.UNSENT,)).outcome is Outcome.UNPROVEN
