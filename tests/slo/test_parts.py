"""An objective may be about some requests alone, and is judged by what golive itself saw of these."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slo.evidence import ClientLoad, NotSeen
from slo.validity import FindingKind
from slo.verdict import Outcome
from tests.slo.builders import client, evidence, server, table
from tests.slo.test_judge import AVAILABILITY, ERRORS, P95, judged, outcome

SLOW_PART = client(answered=table([800], [100], 60))
OF_PAYMENTS = evidence(parts={("payment",): SLOW_PART, ("search",): client()})


def test_an_objective_may_be_about_some_requests_alone() -> None:
    slow = judged(replace(P95, requests=("payment",)), OF_PAYMENTS)
    assert (slow.outcome, slow.target) == (Outcome.MISSED, "P95 < 450 ms, of payment")
    assert outcome(replace(P95, requests=("search",)), OF_PAYMENTS) is Outcome.MET
    assert outcome(P95, OF_PAYMENTS) is Outcome.MET


@pytest.mark.parametrize(
    ("objective", "failing"),
    [(ERRORS, client(failed=5)), (AVAILABILITY, client(failed=1)), (P95, client(answered=table([800], [100], 60)))],
)
def test_each_kind_that_counts_requests_may_be(objective: Any, failing: ClientLoad) -> None:
    one = replace(objective, requests=("payment", "refund"))
    seen = evidence(parts={("payment", "refund"): failing})
    assert judged(one, seen).outcome is Outcome.MISSED
    assert judged(one, seen).target.endswith(", of payment, refund")


def test_the_platforms_own_metrics_say_nothing_of_them() -> None:
    slow_server = server(slow=6000)
    assert outcome(P95, evidence(server=slow_server)) is Outcome.MISSED
    one = judged(replace(P95, requests=("search",)), replace(OF_PAYMENTS, server=slow_server))
    assert (one.outcome, one.server_side) == (Outcome.MET, "the platform's metrics are of all requests")


def test_requests_that_nobody_counted_prove_nothing() -> None:
    assert outcome(replace(ERRORS, requests=("pay",)), OF_PAYMENTS) is Outcome.UNPROVEN
    unknown = NotSeen("no request or flow of this run is called 'pay'")
    one = judged(replace(ERRORS, requests=("pay",)), evidence(parts={("pay",): unknown}))
    assert (one.outcome, one.because) == (Outcome.UNPROVEN, unknown.because)


def test_a_finding_takes_from_them_what_it_takes_from_all() -> None:
    one = replace(P95, requests=("payment",))
    assert outcome(one, OF_PAYMENTS, FindingKind.SCHEDULE_LAG) is Outcome.UNPROVEN
