from pathlib import Path

from analysis.report.run_tables import events_table, evidence_table, versions_table, workers_table
from tests.analysis.records import Synthetic
from tests.analysis.report.runs import run_of


def test_a_lost_worker_says_when_and_why(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(workers=2, lost={1: 14}))
    fates = [row[1] for row in workers_table(run.record, run.measurement).rows]
    assert fates == ["reported to the end", "lost at 0:14: silent for 3.5 s"]


def test_workers_show_offset_throttling_cpu_and_memory(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(clock_offset_s=0.012, throttled_ratio=0.1))
    row = workers_table(run.record, run.measurement).rows[0]
    assert (row[2], row[4], row[5], row[6], row[7]) == ("12 ms", "0.08 ms", "0.2 cores", "90 MB", "25")


def test_a_worker_that_never_reported_is_not_said_to_have_done_so(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(stopped_at_s=0))
    row = workers_table(run.record, run.measurement).rows[0]
    assert (row[1], row[4], row[6]) == ("reported nothing", "—", "—")


def test_events_are_told_in_words_and_units(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(workers=2, lost={1: 14}))
    lost = next(row for row in events_table(run.record).rows if row[2] == "worker lost")
    assert lost == (
        "0:18", "14:13:37", "worker lost",
        "worker 1, because silent for 3.5 s, last seq 14, last delta 14:13:34",
    )  # fmt: skip


def test_evidence_shows_query_server_and_window_or_the_error(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", platform=True)
    rows = {row[0]: row for row in evidence_table(run.record.folder).rows}
    assert rows["backlog"][1:3] == ("2 series", "sum(backlog)")
    assert rows["backlog"][4] == "14:12:20, 1 min 35 s"
    assert rows["hpa_reason"][1] == "Prometheus refused the query"


def test_damaged_evidence_is_named_and_does_not_stop_the_report(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", platform=True)
    (run.record.folder / "evidence" / "up.json").write_text("{torn", encoding="utf-8")
    rows = {row[0]: row for row in evidence_table(run.record.folder).rows}
    assert rows["up"][1].startswith("cannot be read")


def test_fingerprint_and_versions_are_flat_and_say_what_is_not_known(tmp_path: Path) -> None:
    rows = versions_table(run_of(tmp_path / "run").record).rows
    assert ("versions", "python", "3.11") in rows
    assert ("fingerprint", "cluster_uid", "not known") in rows
