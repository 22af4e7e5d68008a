from analysis.report.headline import sentence
from slo.validity import FindingKind
from slo.verdict import Outcome, RunOutcome
from tests.analysis.report.runs import found, judged, verdict_of

LOAD = "at 30,000 requests/s for 3 min"
PASSED, FAILED, NOT_PROVEN = RunOutcome.PASSED, RunOutcome.FAILED, RunOutcome.NOT_PROVEN
MISSED, UNPROVEN = Outcome.MISSED, Outcome.UNPROVEN


def test_a_pass_says_at_what_load() -> None:
    verdict = verdict_of(PASSED, judged("p95"), judged("errors"))
    assert sentence(verdict, load=LOAD) == "All 2 required objectives were met at 30,000 requests/s for 3 min."


def test_a_failure_names_what_was_missed_and_what_is_open() -> None:
    verdict = verdict_of(FAILED, judged("p95", MISSED), judged("errors", UNPROVEN), judged("backlog"))
    assert sentence(verdict, load=LOAD) == "1 of 3 required objectives was missed: p95. Another is unproven: errors."


def test_the_only_objective_begins_the_sentence() -> None:
    verdict = verdict_of(FAILED, judged("p95", MISSED))
    assert sentence(verdict, load=LOAD) == "The one required objective was missed: p95."


def test_what_is_not_proven_names_the_cause_in_the_measurement() -> None:
    voided = judged("p95", UNPROVEN, voided_by=("schedule-lag",))
    verdict = verdict_of(NOT_PROVEN, voided, judged("errors"), findings=(found(), found(FindingKind.CLOCK_SKEW)))
    assert sentence(verdict, load=LOAD) == (
        "1 of 2 required objectives was not proven: p95. The other 1 was met. "
        "The measurement itself was disturbed: golive sent requests late."
    )


def test_missing_evidence_is_not_called_a_disturbed_measurement() -> None:
    verdict = verdict_of(NOT_PROVEN, judged("scaling", UNPROVEN))
    assert sentence(verdict, load=LOAD) == "The one required objective was not proven: scaling."


def test_many_names_and_causes_are_cut_short() -> None:
    kinds = list(FindingKind)[:5]
    rows = [judged(f"o{n}", UNPROVEN, voided_by=tuple(kinds)) for n in range(7)]
    verdict = verdict_of(NOT_PROVEN, *rows, findings=tuple(found(kind) for kind in kinds))
    assert "o0, o1, o2 and 4 more." in sentence(verdict, load=LOAD)
    assert sentence(verdict, load=LOAD).endswith("; and 3 more.")


def test_without_load_nothing_is_claimed() -> None:
    verdict = verdict_of(NOT_PROVEN, judged("p95", UNPROVEN))
    assert sentence(verdict, load="") == "No load was driven, so nothing could be proven or refuted."


def test_a_run_that_asks_nothing_proves_nothing() -> None:
    assert "proves nothing" in sentence(verdict_of(NOT_PROVEN), load=LOAD)


def test_an_optional_miss_is_not_hidden_by_a_pass() -> None:
    verdict = verdict_of(PASSED, judged("p95"), judged("p99", MISSED, required=False))
    assert sentence(verdict, load=LOAD).endswith("1 objective that is not required was missed too.")
