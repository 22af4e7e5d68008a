import dataclasses
import json
from pathlib import Path

from analysis.report.not_proven import OPERATIONAL
from analysis.report.repeat import commands
from analysis.results import read_record
from scenarios.plan import ClosedLoad
from scenarios.search import Search
from slo.validity import FindingKind, Severity
from slo.verdict import Outcome, RunOutcome
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.runs import found, hotel, judged, run_of, staging, verdict_of


def test_a_rehearsal_proves_nothing_about_your_platform(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run").page()
    assert page.open_questions[0].what == "Anything about your platform"
    assert set(OPERATIONAL) <= set(page.open_questions)
    assert page.sentence.endswith("on golive's own rehearsal stage.")


def test_staging_is_not_production(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run", Synthetic(plan_changes=hotel(target=staging()))).page()
    assert page.open_questions[0].what == "Production itself"
    assert "rehearsal" not in page.sentence


def test_the_owners_operational_criteria_are_all_named() -> None:
    told = " ".join(gap.what for gap in OPERATIONAL)
    for criterion in ("MTTD", "MTTR", "downtime", "30 days", "backups", "security scans"):
        assert criterion in told


def test_what_was_tested_and_when_is_said(tmp_path: Path) -> None:
    facts = dict(run_of(tmp_path / "run", Synthetic(workers=2)).page().facts)
    assert facts == {
        "Plan": "synthetic, workload mix (2 kinds of request)",
        "Rate": "to prove 95 requests/s; offered 100 requests/s",
        "Hold": "20 s judged. 5 s of warm-up is driven but not judged.",
        "When": "2026-09-21 14:13:20 UTC, 35 s with the watch after it; ended as planned",
        "By": "golive 0.1.0; 2 workers on here (2 cores)",
        "Run": "run",
    }


def test_a_closed_model_offers_no_rate_and_has_no_schedule_to_be_late_for(tmp_path: Path) -> None:
    closed = ClosedLoad(locustfile="mine.py", users=20, spawn_rate=5.0)
    page = run_of(tmp_path / "run", Synthetic(plan_changes={"closed": closed})).page()
    assert dict(page.facts)["Rate"] == "to prove 95 requests/s; offered what comes from 20 Locust users (closed model)"
    assert "lag" not in {panel.name for panel in page.panels}


def test_a_hold_that_was_cut_is_said_to_be(tmp_path: Path) -> None:
    facts = dict(run_of(tmp_path / "run", Synthetic(stopped_at_s=15)).page().facts)
    assert "Only 10 s of it happened." in facts["Hold"]
    assert facts["When"].endswith("stopped by hand: stop requested by a test")


def test_a_killed_run_says_so(tmp_path: Path) -> None:
    facts = dict(run_of(tmp_path / "run", Synthetic(stopped_at_s=15, killed=True)).page().facts)
    assert facts["When"] == "2026-09-21 14:13:20 UTC, 15 s; killed before it was closed, or still running"


def test_a_finding_names_what_it_took_away_and_when_it_began(tmp_path: Path) -> None:
    voided = judged("p95", Outcome.UNPROVEN, voided_by=("schedule-lag",))
    verdict = verdict_of(RunOutcome.NOT_PROVEN, voided, judged("errors"), findings=(found(),))
    finding = run_of(tmp_path / "run", verdict=verdict).page().voids[0]
    assert (finding.title, finding.when, finding.took_away) == (
        "golive sent requests late", "0:12 into the run", ("p95",),
    )  # fmt: skip


def test_warnings_stand_apart_from_findings_that_void(tmp_path: Path) -> None:
    verdict = verdict_of(RunOutcome.PASSED, judged("p95"), findings=(found(FindingKind.CONTENTION, Severity.WARNS),))
    page = run_of(tmp_path / "run", verdict=verdict).page()
    assert (len(page.voids), len(page.warnings)) == (0, 1)


def test_a_finding_that_took_nothing_away_does_not_cry_wolf(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run", verdict=verdict_of(RunOutcome.PASSED, judged("p95"), findings=(found(),))).page()
    assert (page.voids, page.warnings[0].kind) == ((), "schedule-lag")


def test_findings_of_one_kind_are_told_together_each_text_once(tmp_path: Path) -> None:
    other = dataclasses.replace(found(), what="worker 1 lagged too", at_unix_s=T0 + 3.0)
    verdict = verdict_of(RunOutcome.PASSED, judged("p95"), findings=(found(), other))
    (told,) = run_of(tmp_path / "run", verdict=verdict).page().warnings
    assert told.what == "P99 of the schedule lag is 412 ms; 25 ms are allowed. worker 1 lagged too."
    assert (told.remedy, told.when) == ("Give golive a machine of its own.", "0:03 into the run")


def test_gaps_of_the_record_are_told_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_of(folder)
    (folder / "load.hlog").unlink()
    from tests.analysis.report.runs import PASSED, read_back

    assert read_back(folder, PASSED).page().record_gaps.count("load.hlog is missing") == 1


def test_the_run_can_be_repeated_and_judged_again(tmp_path: Path) -> None:
    lines = [command.line for command in run_of(tmp_path / "run", Synthetic(workers=2)).page().commands]
    assert lines[:2] == ["golive run synthetic --rate 95 --duration 20s --workers 2", "golive judge run"]


def test_a_run_that_knows_what_was_asked_is_asked_for_in_the_same_words(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run_of(folder)
    header = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**header, "command": "golive run mine.yaml --change a=1"}))
    assert commands(read_record(folder))[0].line == "golive run mine.yaml --change a=1"


def test_another_platform_is_named_in_the_command(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(plan_changes=hotel(target=staging())))
    assert "--target staging-eu" in run.page().commands[0].line


def test_thinning_is_admitted(tmp_path: Path) -> None:
    assert "Each point stands for 2 s" in run_of(tmp_path / "run", Synthetic(hold_s=1500, rps=2)).page().thinning


def test_what_came_before_a_proof_is_called_the_search_and_no_warm_up(tmp_path: Path) -> None:
    searched = {"search": Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0)}
    page = run_of(tmp_path / "run", Synthetic(warm_s=5, plan_changes=searched)).page()
    assert "5 s of search came before it." in dict(page.facts)["Hold"]
