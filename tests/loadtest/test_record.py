"""The record survives being cut off anywhere."""

from __future__ import annotations

import json
from pathlib import Path

from loadtest.record import RecordWriter, append_event, write_json
from tests.loadtest.builders import SECOND, counts, latency


def a_delta() -> dict[str, object]:
    return {
        "counts": [counts(ok=3)],
        "latency": [latency(SECOND, [5_000])],
        "in_flight": [[SECOND, 2.5]],
        "control_timer_us": [[SECOND, 60]],
    }


def test_every_line_is_on_disk_before_the_record_is_closed(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.delta(worker=1, seq=4, body=a_delta())
    record.vitals(worker=1, vitals={"cpu_s": 1.5}, body=a_delta())
    line = json.loads((tmp_path / "seconds.jsonl").read_text())
    assert (line["ok"], line["worker"], line["seq"]) == (3, 1, 4)
    assert f"Tag=home,{SECOND}.000,1.000," in (tmp_path / "load.hlog").read_text()
    vitals = json.loads((tmp_path / "workers.jsonl").read_text())
    assert (vitals["in_flight"], vitals["control_timer_us"], vitals["cpu_s"]) == (2.5, 60, 1.5)
    record.close()


def test_the_process_that_keeps_the_record_writes_down_how_it_fares_once_a_second(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    for worker in range(3):
        record.vitals(worker=worker, vitals={"cpu_s": 1.5}, body=a_delta())
    record.close()
    (line,) = [json.loads(line) for line in (tmp_path / "master.jsonl").read_text().splitlines()]
    assert line["second"] == SECOND
    assert line["rss_bytes"] > 1_000_000
    assert line["open_fds"] > 3


def test_a_token_that_was_not_renewed_is_an_event(tmp_path: Path) -> None:
    logins = [
        {"second": SECOND, "ok": 2, "failed": 0, "said": ""},
        {"second": SECOND, "ok": 0, "failed": 1, "said": "503"},
    ]
    writer = RecordWriter(tmp_path)
    writer.delta(worker=3, seq=1, body={"logins": logins})
    writer.close()
    (event,) = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert event == {
        "at_unix_s": SECOND, "event": "token_not_renewed", "worker": 3, "ok": 0, "failed": 1, "said": "503",
    }  # fmt: skip


def test_a_reopened_record_goes_on_where_it_ended(tmp_path: Path) -> None:
    for seq in (1, 2):
        record = RecordWriter(tmp_path)
        record.delta(worker=0, seq=seq, body=a_delta())
        record.close()
    assert (tmp_path / "load.hlog").read_text().count("#[Histogram log format") == 1
    assert len((tmp_path / "seconds.jsonl").read_text().splitlines()) == 2


def test_events_of_two_processes_do_not_mix(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.event("load_started", at_unix_s=1.0, t0_unix_s=2.0)
    append_event(tmp_path, "interrupted", at_unix_s=1.5, signal="SIGINT")
    record.event("load_ended", at_unix_s=2.0, because="x")
    record.close()
    kinds = [json.loads(line)["event"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert kinds == ["load_started", "interrupted", "load_ended"]


def test_a_json_file_is_whole_or_not_there(tmp_path: Path) -> None:
    write_json(tmp_path / "run.json", {"a": 1})
    write_json(tmp_path / "run.json", {"a": 2})
    assert json.loads((tmp_path / "run.json").read_text()) == {"a": 2}
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]
