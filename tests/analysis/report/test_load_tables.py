import json
from pathlib import Path

from analysis.hold import hold_of
from analysis.measurement import measurement_of
from analysis.report.load_tables import failures_table, phases_table, requests_table, writes_table
from analysis.results import read_record
from slo.evidence import Window
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.runs import MIX, hotel, run_of

FAILING = Synthetic(failed={2: {"reset": 4}, 9: {"status 503": 20, "reset": 5}})


def test_each_request_has_its_counts_and_latency_of_the_hold(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", FAILING)
    table = requests_table(run.record, run.evidence.hold)
    assert table.rows[0] == ("availability", "1,600", "1,575", "25", "0", "6 ms", "7 ms", "7 ms", "7 ms")
    assert table.total[:5] == ("All", "2,000", "1,975", "25", "0")


def test_what_was_sent_a_second_time_is_told_though_it_failed_nobody(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(repeated={2: 4, 9: 3}))
    note = requests_table(run.record, run.evidence.hold).note
    assert "3 of these were sent a second time and count once" in note
    plain = run_of(tmp_path / "plain")
    assert "second time" not in requests_table(plain.record, plain.evidence.hold).note


def test_what_a_locustfile_gave_no_time_is_told_and_no_damage_to_the_record(tmp_path: Path) -> None:
    run_of(tmp_path)
    line = {"second": T0 + 9, "request": "availability", "due": 35, "sent": 35, "ok": 35, "untimed": 35, "failed": {},
            "unavailable": 0, "unsent": 0, "sent_bytes": 0, "received_bytes": 0, "worker": 0, "seq": 999}  # fmt: skip
    with (tmp_path / "seconds.jsonl").open("a") as seconds:
        seconds.write(json.dumps(line) + "\n")
    record = read_record(tmp_path)
    hold = hold_of(record)
    assert "35 had no response time in their Locust event" in requests_table(record, hold.window).note
    assert not any("load.hlog holds" in gap for gap in measurement_of(record, hold).record_gaps)


def test_without_a_hold_the_whole_load_is_shown_and_said(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(stopped_at_s=3))
    table = requests_table(run.record, run.evidence.hold)
    assert table.total[1] == "300"
    assert table.note.startswith("Over the whole load")


def test_failures_outside_the_hold_are_shown_apart(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", FAILING)
    rows = failures_table(run.record, run.evidence.hold).rows
    assert [row[:4] for row in rows] == [("status 503", "20", "1 %", "0"), ("reset", "5", "0.25 %", "4")]


def test_unsent_requests_are_a_row_of_their_own(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(unsent={9: 3}))
    assert failures_table(run.record, run.evidence.hold).rows[0][:4] == ("unsent", "3", "—", "0")


def test_no_load_is_not_called_faultless(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(stopped_at_s=0))
    table = failures_table(run.record, Window(start_unix_s=T0, end_unix_s=T0))
    assert (table.rows, table.empty) == ((), "No request was sent.")


def test_accepted_writes_are_counted_over_the_whole_load(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(mix=MIX, plan_changes=hotel()))
    table = writes_table(run.record)
    assert [row[0] for row in table.rows] == [name for name in MIX if name not in ("availability", "reporting")]
    assert table.rows[0] == ("create", "225", "0")  # 9 a second, in 25 s
    assert table.total[1] == f"{sum(int(row[1]) for row in table.rows):,}"


def test_a_workload_that_only_reads_leaves_nothing_behind(tmp_path: Path) -> None:
    table = writes_table(run_of(tmp_path / "run").record)
    assert table.rows == ()
    assert "nothing is left behind" in table.empty


def test_phases_say_which_are_judged(tmp_path: Path) -> None:
    rows = phases_table(run_of(tmp_path / "run").record).rows
    assert rows == (
        ("warm-up", "0:00", "5 s", "100", "driven, not judged"), ("hold", "0:05", "20 s", "100", "judged"),
    )  # fmt: skip
