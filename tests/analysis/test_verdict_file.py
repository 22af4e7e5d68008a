"""verdict.json, written and read back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from analysis.evidence import assemble
from analysis.results import read_record
from analysis.verdict_file import read_verdict, write_verdict
from scenarios.errors import RecordUnreadable
from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict
from tests.analysis.cluster.clusters import WatchedCluster
from tests.analysis.records import T0, Synthetic

VERDICT = Verdict(
    outcome=RunOutcome.NOT_PROVEN,
    judgements=(
        Judgement(
            objective="p95", kind="latency", outcome=Outcome.UNPROVEN, because="the generator lagged",
            target="P95 < 450 ms", measured="470 ms", interval="460–480 ms (95 %)", source="client, 2,000 requests",
            required=True, server_side="P95 < 450 ms", voided_by=("schedule-lag",),
        ),
    ),
    findings=(
        Finding(kind=FindingKind.SCHEDULE_LAG, severity=Severity.VOIDS, what="lag P99 80 ms", remedy="more workers",
                at_unix_s=T0 + 7.0),
        Finding(kind=FindingKind.CONTENTION, severity=Severity.WARNS, what="noisy", remedy="a quiet machine"),
    ),
)  # fmt: skip


def test_whoever_writes_a_script_finds_every_key_of_it_documented(path: Path) -> None:
    document = (Path(__file__).parents[2] / "docs" / "record.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)`", document.split("`verdict.json`, for scripts")[1].split("\n\n")[0]))
    written = json.loads(path.read_text())
    keys = {*written, *written["judgements"][0], *written["findings"][0]} - {"format"}
    assert keys <= told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    record = read_record(Synthetic(hold_s=3).write(tmp_path))
    write_verdict(tmp_path / "verdict.json", record=record, verdict=VERDICT)
    return tmp_path / "verdict.json"


def test_everything_of_a_verdict_is_read_back(path: Path) -> None:
    assert read_verdict(path) == VERDICT


def test_a_script_finds_the_outcome_and_what_was_run(path: Path) -> None:
    content = json.loads(path.read_text())
    assert (content["format"], content["outcome"], content["exit_code"]) == (1, "not proven", 3)
    assert content["run"]["target"] == {"name": "hotel", "url": "http://127.0.0.1:8080", "class": "rehearsal"}
    assert (content["run"]["rehearsal"], content["run"]["rate_to_prove_rps"]) == (True, 95.0)
    assert content["judgements"][0]["outcome"] == "unproven"


@pytest.mark.parametrize("content", ["", "{}", '{"format": 2}', '{"format": 1, "outcome": "fine"}', "[]"])
def test_what_is_no_verdict_is_refused_with_a_remedy(tmp_path: Path, content: str) -> None:
    (tmp_path / "verdict.json").write_text(content)
    with pytest.raises(RecordUnreadable, match="golive judge RUN"):
        read_verdict(tmp_path / "verdict.json")


def test_a_missing_verdict_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(RecordUnreadable, match="golive judge RUN"):
        read_verdict(tmp_path / "verdict.json")


def test_a_script_finds_how_each_scale_up_went(tmp_path: Path) -> None:
    run = Synthetic(hold_s=40)
    WatchedCluster(run=run).write(run.write(tmp_path))
    record = read_record(tmp_path)
    evidence, _ = assemble(record)
    write_verdict(tmp_path / "verdict.json", record=record, verdict=VERDICT, evidence=evidence)
    (up,) = json.loads((tmp_path / "verdict.json").read_text())["scale_ups"]
    assert (up["autoscaler"], up["from_replicas"], up["to_replicas"], up["took_s"]) == ("core", 2, 4, 15.0)
    assert up["legs"]["ready"] == pytest.approx(4.5)
    assert up["blamed"] == "over target"
    assert read_verdict(tmp_path / "verdict.json") == VERDICT
