from hypothesis import given
from hypothesis import strategies as st

from analysis.report.terminal import COLUMNS, summary_lines
from slo.validity import Severity
from slo.verdict import Outcome, RunOutcome
from tests.analysis.report.runs import found, judged, verdict_of


def test_every_objective_shows_its_outcome_figures_and_because() -> None:
    row = judged("p95", Outcome.MISSED, measured="512 ms", target="P95 < 450 ms", because="9 of 10 within 450 ms")
    lines = summary_lines(verdict_of(RunOutcome.FAILED, row))
    assert lines == [
        "MISSED   p95: 512 ms, asked P95 < 450 ms",
        "           9 of 10 within 450 ms",
        "FAILED: 0 of 1 required objectives met",
    ]


def test_the_verdict_comes_last() -> None:
    lines = summary_lines(verdict_of(RunOutcome.PASSED, judged("p95"), findings=(found(severity=Severity.WARNS),)))
    assert lines[-1] == "PASSED: 1 of 1 required objectives met"


def test_findings_that_void_are_told_from_warnings() -> None:
    fallen = judged("p95", Outcome.UNPROVEN, voided_by=("schedule-lag",))
    findings = (found(), found(severity=Severity.WARNS))
    lines = summary_lines(verdict_of(RunOutcome.NOT_PROVEN, fallen, findings=findings))
    assert [line.split()[0] for line in lines if "schedule-lag" in line] == ["VOID", "NOTE"]


def test_a_finding_that_took_no_outcome_away_voids_nothing() -> None:
    lines = summary_lines(verdict_of(RunOutcome.PASSED, judged("p95"), findings=(found(),)))
    assert [line.split()[0] for line in lines if "schedule-lag" in line] == ["NOTE"]


@given(st.text(), st.text(max_size=400))
def test_no_line_is_wider_than_a_terminal_nor_steers_it(name: str, because: str) -> None:
    lines = summary_lines(verdict_of(RunOutcome.PASSED, judged(name, because=because)))
    assert max(len(line) for line in lines) <= COLUMNS
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for line in lines for letter in line)


def test_passwords_do_not_reach_the_terminal() -> None:
    lines = summary_lines(verdict_of(RunOutcome.PASSED, judged("p95", because="up at http://a:b@host")))
    assert "           up at http://host" in lines
