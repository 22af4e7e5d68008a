import json
from pathlib import Path

from analysis.report.slowest_table import slowest_table
from tests.analysis.records import T0
from tests.analysis.report.runs import run_of

TRACE = "0af7651916cd43dd8448eb211c80319c"


def told(folder: Path, *, trace: str) -> None:
    due_us = (T0 + 8) * 1_000_000
    line = {
        "second": T0 + 8, "request": "availability", "number": 1, "trace_id": trace, "sampled": bool(trace),
        "outcome": "ok", "due_unix_us": due_us, "sent_unix_us": due_us + 250, "done_unix_us": due_us + 187_000,
    }  # fmt: skip
    (folder / "exemplars.jsonl").write_text(json.dumps(line) + "\n")


def test_each_of_the_slowest_has_its_times_and_the_trace_to_search_for(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    told(run.record.folder, trace=TRACE)
    table = slowest_table(run.record, run.evidence.hold)
    assert table.rows == (("availability", "ok", "187 ms", "0.25 ms", "0:08", "yes", TRACE),)


def test_without_traces_the_note_says_how_to_get_them(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    told(run.record.folder, trace="")
    table = slowest_table(run.record, run.evidence.hold)
    assert [column.title for column in table.columns] == ["Request", "Ended", "Took", "To send", "Due"]
    assert "traceparent: true" in table.note


def test_a_record_from_before_has_an_empty_table(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run")
    assert slowest_table(run.record, run.evidence.hold).rows == ()
