"""From a record to its verdict: recovery is judged, told and judged again offline, by the seconds around the spike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.verdict_file import read_verdict
from loadtest.verdicts import conclude
from slo.objective import ErrorRatio
from slo.verdict import Outcome
from tests.analysis.records import T0, Synthetic
from tests.analysis.spiked import HELD_AFTER, spiked

LAXER = """\
- {kind: recovery, name: in-its-own-time, within_s: 45,
   quantile_ratio: 0.95, latency_below_ms: 450, errors_below_ratio: 0.04}
"""


def judged(folder: Path, objectives: str = "") -> dict[str, Outcome]:
    return {one.objective: one.outcome for one in conclude(folder, objectives=objectives).judgements}


def test_a_slow_recovery_is_missed_and_every_instant_of_it_stands_in_the_verdict(tmp_path: Path) -> None:
    assert judged(spiked().write(tmp_path)) == {"p95": Outcome.MET, "recovery": Outcome.MISSED}
    (told,) = json.loads((tmp_path / "verdict.json").read_text())["recoveries"]
    assert told == {
        "objective": "recovery", "onset_unix_s": T0 + 20, "end_unix_s": T0 + 30, "watched_until_unix_s": T0 + 90,
        "before_rps": 10, "peak_rps": 100, "after_rps": 10, "windows": 14, "broken_windows": 9,
        "first_broken_unix_s": T0 + 20, "last_broken_until_unix_s": T0 + 65, "back_unix_s": T0 + 65,
        "back_after_end_s": 35, "back_after_onset_s": 45,
    }  # fmt: skip


def test_other_objectives_judge_it_again_offline_and_the_report_tells_of_those(tmp_path: Path) -> None:
    spiked().write(tmp_path)
    laxer = tmp_path / "laxer.yaml"
    laxer.write_text(LAXER)
    assert judged(tmp_path, str(laxer)) == {"in-its-own-time": Outcome.MET}
    assert "P95 limit 450 ms" not in (tmp_path / "report.html").read_text()


def test_whoever_reads_a_verdict_sees_that_it_is_not_by_the_plans_own_objectives(tmp_path: Path) -> None:
    spiked().write(tmp_path)
    laxer = tmp_path / "laxer.yaml"
    laxer.write_text(LAXER)
    for objectives in (str(laxer), ""):
        conclude(tmp_path, objectives=objectives)
        told = [(tmp_path / name).read_text() for name in ("report.md", "report.html")]
        assert all(("other objectives than the plan" in text) is bool(objectives) for text in told)
        assert json.loads((tmp_path / "verdict.json").read_text())["run"]["objectives_of"] == objectives


@pytest.mark.parametrize(("at", "kinds"), [(70, ["unsent-arrivals"]), (5, [])], ids=["after the spike", "before it"])
def test_arrivals_that_were_never_sent_after_the_spike_take_recovery_alone(
    tmp_path: Path, at: int, kinds: list[str]
) -> None:
    outcomes = judged(spiked(HELD_AFTER, unsent={at: 30}).write(tmp_path))
    found = read_verdict(tmp_path / "verdict.json").findings
    assert [one.kind.value for one in found] == kinds
    assert all(one.what.startswith("From the spike's onset to the load's end: ") for one in found)
    assert outcomes == {"p95": Outcome.MET, "recovery": Outcome.UNPROVEN if kinds else Outcome.MISSED}


def test_a_run_that_is_not_asked_for_recovery_looks_at_its_hold_alone(tmp_path: Path) -> None:
    run = spiked(HELD_AFTER, unsent={70: 30}, objectives=spiked().objectives[:1])
    assert judged(run.write(tmp_path)) == {"p95": Outcome.MET}
    assert read_verdict(tmp_path / "verdict.json").findings == ()
    assert "recoveries" not in json.loads((tmp_path / "verdict.json").read_text())


def test_a_record_that_was_changed_after_the_run_had_ended_proves_nothing_however_often_it_is_judged(
    tmp_path: Path,
) -> None:
    run = spiked(HELD_AFTER, objectives=spiked().objectives[:1])
    assert judged(run.write(tmp_path)) == {"p95": Outcome.MET}
    assert judged(tmp_path) == {"p95": Outcome.MET}
    events = tmp_path / "events.jsonl"
    events.write_text(events.read_text() + '{"at_unix_s": 1, "event": "nothing"}\n')
    for _ in range(2):
        assert judged(tmp_path) == {"p95": Outcome.UNPROVEN}
        (found,) = read_verdict(tmp_path / "verdict.json").findings
        assert "events.jsonl was changed after the run had ended" in found.what


@pytest.mark.parametrize("left", ["", '{"at_unix_s": 1, "event": "nothing"}\n'], ids=["emptied", "without its end"])
def test_a_record_that_lost_the_word_of_its_end_is_held_to_its_manifest_all_the_same(tmp_path: Path, left: str) -> None:
    judged(spiked(HELD_AFTER, objectives=spiked().objectives[:1]).write(tmp_path))
    (tmp_path / "events.jsonl").write_text(left)
    for _ in range(2):
        assert judged(tmp_path) == {"p95": Outcome.UNPROVEN}


def test_objectives_of_some_requests_alone_are_judged_by_these_and_again_offline(tmp_path: Path) -> None:
    failing = {t: {"status 500": 8} for t in range(5, 25)}  # of the 80 a second that are `availability`
    asked = {name: ErrorRatio(name=name, below_ratio=0.09, requests=(name,)) for name in ("availability", "create")}
    objectives = (*asked.values(), ErrorRatio(name="all", below_ratio=0.09))
    Synthetic(failed=failing, objectives=objectives).write(tmp_path)
    told = {"availability": Outcome.MISSED, "create": Outcome.MET, "all": Outcome.MET}
    assert judged(tmp_path) == told
    assert ", of availability" in (tmp_path / "report.html").read_text()
    other = tmp_path / "other.yaml"
    other.write_text("- {kind: error_ratio, name: pay, below_ratio: 0.1, requests: [payment]}\n")
    assert judged(tmp_path, str(other)) == {"pay": Outcome.UNPROVEN}
    assert judged(tmp_path) == told
