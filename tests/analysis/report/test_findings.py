"""Findings as a report tells them."""

from __future__ import annotations

from dataclasses import replace

from analysis.report.findings import findings_told
from slo.validity import FindingKind
from slo.verdict import RunOutcome
from tests.analysis.report.runs import found, verdict_of


def test_a_title_is_not_said_twice() -> None:
    cut = replace(
        found(FindingKind.CUT_SHORT), what="The load ended before the plan did: stop requested by golive stop."
    )
    (told,) = findings_told(verdict_of(RunOutcome.NOT_PROVEN, findings=(cut,)), t0_unix_s=None)
    assert (told.title, told.what) == ("The load ended before the plan did", "stop requested by golive stop.")


def test_what_does_not_begin_with_its_title_stays_as_it_is() -> None:
    (told,) = findings_told(verdict_of(RunOutcome.NOT_PROVEN, findings=(found(),)), t0_unix_s=None)
    assert told.what == "P99 of the schedule lag is 412 ms; 25 ms are allowed."
