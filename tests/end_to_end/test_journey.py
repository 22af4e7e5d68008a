"""The shipped journey driven to its report: steps by name, effects seen once, and what a worse platform does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.journey_tables import journey_tables
from analysis.results import read_record
from scenarios.files import PLANS
from slo.evidence import Window
from tests.end_to_end.runs import NOISY, Judged, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

STEPS = ["search", "book", "confirmed", "pay", "check-in"]


def driven(folder: Path, *changes: str) -> Judged:
    return run(folder, *changes, plan=shipped(folder), duration="20s", rate_rps=100)


def shipped(folder: Path) -> str:
    """The plan `journey`, for the machine of the tests."""
    plan = folder / "journey.yaml"
    plan.write_text((PLANS / "journey.yaml").read_text() + NOISY)
    return str(plan)


def totals(judged: Judged, column: str) -> dict[str, int]:
    record = read_record(judged.folder)
    added = record.counts.groupby("request")[column].sum()
    return {str(name): int(count) for name, count in added.items()}


def flow_row(judged: Judged) -> tuple[str, ...]:
    flows, _ = journey_tables(read_record(judged.folder), Window(start_unix_s=0, end_unix_s=0))
    return flows.rows[0]


def test_journeys_come_to_their_end_and_effects_are_seen_once(tmp_path: Path) -> None:
    judged = driven(tmp_path)
    assert judged.ended == "complete"
    assert judged.missed == []
    ok, sent = totals(judged, "ok"), totals(judged, "sent")
    assert ok == sent
    assert set(ok) == {"look-around", *(f"booking/{step}" for step in STEPS)}
    begun = sent["booking/search"]
    # All but those that the load's end broke off; a poll asks once or more.
    assert 0.9 * begun < ok["booking/check-in"] <= ok["booking/pay"] <= ok["booking/book"] <= begun
    assert sent["booking/confirmed"] >= ok["booking/book"]
    # Half of the requests are the flow's, all steps together: weights are in requests.
    assert sent["look-around"] == pytest.approx(5 * begun, rel=0.3)
    assert "Accepted → visible" in (judged.folder / "report.html").read_text()


def test_effects_that_come_twice_or_never_fail_their_journeys_and_are_told(tmp_path: Path) -> None:
    judged = driven(tmp_path, "faults.effects={reservations-command: {repeated: 0.2, lost: 0.1}}")
    kinds = read_record(judged.folder).failures.groupby("kind")["count"].sum()
    assert kinds["effect repeated"] > 10
    assert kinds["effect missing"] > 5
    assert flow_row(judged)[6] == "confirmed"
    assert "journeys" in judged.missed
    report = (judged.folder / "report.html").read_text()
    assert "took effect more than once" in report


UNRENEWED = """
from dataclasses import replace
from scenarios.workloads.booking_journey import BOOKING_JOURNEY as JOURNEY
UNRENEWED = replace(JOURNEY, name="unrenewed", login=replace(JOURNEY.login, refresh=None))
"""


def test_tokens_are_renewed_before_they_expire(tmp_path: Path) -> None:
    judged = driven(tmp_path, "login.token_lasts_s=6")
    assert judged.ended == "complete"
    assert read_record(judged.folder).failures.empty


def test_tokens_that_nobody_renews_are_refused_in_mid_run(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(UNRENEWED)
    mine = f"{tmp_path}/mine.py:UNRENEWED"
    judged = run(tmp_path, "login.token_lasts_s=6", plan="journey", duration="20s", rate_rps=100, workload=mine)
    assert judged.ended == "aborted"  # more than half have failed for ten seconds
    assert set(read_record(judged.folder).failures["kind"]) == {"status 401"}
