"""How journeys ended, read back from the counts of their steps: each once, in the second of the step that ended it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.hold import hold_of
from analysis.journeys import journeys_seen
from analysis.results import read_record
from scenarios.failure_kinds import EFFECT_REPEATED
from slo.evidence import JourneysSeen, NotSeen
from tests.analysis.flows import write_flows
from tests.analysis.records import Synthetic

HOLD_S = 20  # of the 25 s that are driven; each second has ten journeys


@pytest.mark.parametrize(
    ("changes", "ended", "failed_at"),
    [
        ({}, 10, {}),
        ({"broken": 2}, 8, {"buy": 2}),
        ({"missing": 3}, 7, {"shown": 3}),
        ({"broken": 2, "missing": 3}, 5, {"buy": 2, "shown": 3}),
        ({"missing": 3, "why": EFFECT_REPEATED}, 7, {"shown": 3}),
    ],
)
def test_each_journey_ends_once_however_often_its_last_step_asks(
    tmp_path: Path, changes: dict[str, object], ended: int, failed_at: dict[str, int]
) -> None:
    record = read_record(write_flows(tmp_path / "run", **changes))  # type: ignore[arg-type]
    failing = {step: count * HOLD_S for step, count in failed_at.items()}
    seen = JourneysSeen(flow="order", ended=ended * HOLD_S, failed=sum(failing.values()), failed_at=failing)
    assert journeys_seen(record, hold_of(record)) == (seen,)


def test_without_a_flow_there_is_none(tmp_path: Path) -> None:
    record = read_record(Synthetic().write(tmp_path))
    assert journeys_seen(record, hold_of(record)) == NotSeen("the workload has no flow")
