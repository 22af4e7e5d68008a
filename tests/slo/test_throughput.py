"""A window that no platform could have filled says nothing of the platform."""

from __future__ import annotations

import numpy as np
import pytest

from slo.judge import judge
from slo.objective import Throughput
from slo.verdict import Judgement, Outcome
from tests.slo.builders import client, evidence


def judged(due: list[int], ok: list[int], *, beforehand: bool) -> Judgement:
    load = client(due=np.repeat(due, 10), ok=np.repeat(ok, 10), due_beforehand=beforehand)
    return judge((Throughput(name="throughput"),), evidence(rate_to_prove_rps=100, client=load), ()).judgements[0]


ENOUGH = [105] * 6


@pytest.mark.parametrize(
    ("due", "ok", "outcome"),
    [
        ([105, 105, 99, 105, 105, 105], [105, 105, 99, 105, 105, 105], Outcome.UNPROVEN),
        ([105, 105, 99, 105, 105, 105], [105, 105, 99, 99, 105, 105], Outcome.MISSED),  # here it could
        ([105, 105, 100, 105, 105, 105], [105, 105, 99, 105, 105, 105], Outcome.MISSED),
        (ENOUGH, ENOUGH, Outcome.MET),
    ],
)
def test_less_due_than_is_to_be_proved_is_no_miss_of_the_platform(
    due: list[int], ok: list[int], outcome: Outcome
) -> None:
    one = judged(due, ok, beforehand=True)
    assert one.outcome is outcome
    assert ("only 990 requests were due" in one.because) is (outcome is Outcome.UNPROVEN)


def test_steps_that_were_not_due_because_the_platform_did_not_answer_excuse_nothing() -> None:
    assert judged([99] * 6, [99] * 6, beforehand=False).outcome is Outcome.MISSED
