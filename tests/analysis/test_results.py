"""Reading a run back: whole, half-written, killed, damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.results import RunRecord, read_record
from scenarios.errors import RecordUnreadable
from tests.analysis.records import T0, Synthetic

RUN = Synthetic(warm_s=2, hold_s=4, watch_s=3, rps=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return RUN.write(tmp_path / "run")


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_a_complete_record_is_read_without_a_gap(folder: Path) -> None:
    record = read_record(folder)
    assert record.gaps == ()
    assert record.plan == RUN.plan
    assert (record.header.ended, record.header.t0_unix_s) == ("complete", T0)
    assert int(record.counts["ok"].sum()) == 120
    assert record.latency.total(["availability", "create"]) == 120
    assert len(record.workers) == 6


@pytest.mark.parametrize("name", ["events.jsonl", "seconds.jsonl", "workers.jsonl", "load.hlog"])
def test_a_torn_last_line_is_left_out_and_named(folder: Path, name: str) -> None:
    whole = read_record(folder)
    append(folder / name, '{"at_unix_s": 17900')
    record = read_record(folder)
    assert record.gaps == (f"{name}: the last line is torn and was left out",)
    assert len(record.counts) == len(whole.counts)
    assert record.events == whole.events


@pytest.mark.parametrize("name", ["events.jsonl", "seconds.jsonl", "workers.jsonl", "load.hlog"])
def test_a_file_that_was_never_begun_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert read_record(folder).gaps == (f"{name} is missing",)


@pytest.mark.parametrize("name", ["events.jsonl", "seconds.jsonl", "workers.jsonl"])
def test_a_damaged_line_in_the_middle_is_named_by_number(folder: Path, name: str) -> None:
    first, *others = (folder / name).read_text().splitlines(keepends=True)
    (folder / name).write_text("".join([first, "\0\0\0\n", "17\n", *others]))
    assert read_record(folder).gaps == tuple(f"{name}: line {n} cannot be read and was left out" for n in (2, 3))


@pytest.mark.parametrize("line", ['{"at_unix_s": "x", "event": "load_ended"}', '{"at_unix_s": 1, "event": 2}', "{}"])
def test_a_line_that_is_no_event_is_left_out_and_named(folder: Path, line: str) -> None:
    whole = read_record(folder)
    append(folder / "events.jsonl", line + "\n")
    record = read_record(folder)
    assert record.events == whole.events
    assert record.gaps == ("events.jsonl: 1 lines are no event and were left out",)


def test_a_killed_runs_times_come_from_its_events(tmp_path: Path) -> None:
    record = read_record(Synthetic(killed=True, hold_s=3, rps=10).write(tmp_path))
    assert record.header.ended == "running"
    assert record.header.t0_unix_s == T0
    assert record.header.load_end_unix_s is None


def test_a_run_killed_in_its_watch_knows_when_the_load_ended(folder: Path) -> None:
    header = json.loads((folder / "run.json").read_text())
    killed = {"t0_unix_s": None, "load_end_unix_s": None, "watched_until_unix_s": None, "ended": "running"}
    (folder / "run.json").write_text(json.dumps({**header, **killed}))
    assert read_record(folder).header.load_end_unix_s == RUN.load_end_unix_s


def test_a_delta_written_twice_counts_once(folder: Path) -> None:
    lines = (folder / "seconds.jsonl").read_text().splitlines(keepends=True)
    append(folder / "seconds.jsonl", "".join(lines[2:4]))
    record = read_record(folder)
    assert int(record.counts["ok"].sum()) == 120
    assert record.gaps == ("seconds.jsonl: 2 lines repeat a delta already counted; each counts once",)


def test_late_answers_in_another_delta_add_up(folder: Path) -> None:
    line = json.loads((folder / "seconds.jsonl").read_text().splitlines()[0])
    late = {**line, "seq": 99, "due": 0, "sent": 0, "ok": 3, "failed": {"timeout wait": 2}}
    append(folder / "seconds.jsonl", json.dumps(late) + "\n")
    record = read_record(folder)
    assert record.gaps == ()
    assert int(record.counts["ok"].sum()) == 123
    assert record.failures[["kind", "count"]].to_numpy().tolist() == [["timeout wait", 2]]


@pytest.mark.parametrize("change", [{"ok": "7"}, {"failed": [1]}, {"failed": {"reset": 1.5}}, {"request": None}])
def test_a_line_with_something_else_in_a_fields_place_is_left_out(folder: Path, change: dict[str, object]) -> None:
    lines = (folder / "seconds.jsonl").read_text().splitlines()
    (folder / "seconds.jsonl").write_text("\n".join([json.dumps({**json.loads(lines[0]), **change}), *lines[1:], ""]))
    record = read_record(folder)
    assert len(record.counts) == len(lines) - 1
    assert record.gaps == ("seconds.jsonl: 1 lines lack a field and were left out",)


def without_header(folder: Path) -> None:
    (folder / "run.json").unlink()


def foreign_header(folder: Path) -> None:
    (folder / "run.json").write_text("[1, 2]")


def half_header(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 1, "run_id": "x"}')


def newer_header(folder: Path) -> None:
    (folder / "run.json").write_text('{"format": 2}')


def without_plan(folder: Path) -> None:
    (folder / "plan.json").unlink()


def foreign_plan(folder: Path) -> None:
    (folder / "plan.json").write_text('{"format": 1, "hello": 3}')


@pytest.mark.parametrize(
    "damage", [without_header, foreign_header, half_header, newer_header, without_plan, foreign_plan]
)
def test_what_is_no_run_is_refused_with_a_remedy(folder: Path, damage: Callable[[Path], None]) -> None:
    damage(folder)
    with pytest.raises(RecordUnreadable) as refusal:
        read_record(folder)
    assert refusal.value.remedy
    assert str(folder) in refusal.value.problem or "run.json" in refusal.value.problem


def test_any_prefix_of_the_appended_files_can_be_read(folder: Path) -> None:
    """Whatever moment the power went out at."""
    whole = {name: (folder / name).read_bytes() for name in ("events.jsonl", "seconds.jsonl", "load.hlog")}
    for share in range(0, 100, 7):
        for name, content in whole.items():
            (folder / name).write_bytes(content[: len(content) * share // 100])
        assert isinstance(read_record(folder), RunRecord)


def test_a_line_that_tells_of_no_address_is_left_out_and_named(folder: Path) -> None:
    (folder / "addresses.jsonl").write_text(
        '{}\n{"second": 1, "worker": 0, "seq": 1, "address": "[::1]", "requests": 2}\n'
    )
    record = read_record(folder)
    assert list(record.addresses["address"]) == ["[::1]"]
    assert record.gaps == ("addresses.jsonl: 1 lines tell of no address and were left out",)
