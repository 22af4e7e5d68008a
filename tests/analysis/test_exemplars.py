"""The slowest requests are read back from any record, and each is told once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.exemplars import read_exemplars, slowest

T0 = 1_790_000_000


def line(took_us: int, *, second: int = T0, request: str = "home", outcome: str = "ok") -> dict[str, Any]:
    due_us = second * 1_000_000
    return {
        "second": second, "request": request, "number": 7, "trace_id": "ab" * 16, "sampled": True, "outcome": outcome,
        "due_unix_us": due_us, "sent_unix_us": None, "done_unix_us": due_us + took_us, "worker": 0, "seq": 1,
    }  # fmt: skip


def written(folder: Path, *lines: Any) -> Path:
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (folder / "exemplars.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_the_slowest_come_first_of_each_request_answered_and_failed(tmp_path: Path) -> None:
    folder = written(tmp_path, *(line(us) for us in (1, 9, 5)), line(3, outcome="reset"), line(2, request="book"))
    found = slowest(read_exemplars(folder), of_each=2, seconds=range(T0, T0 + 1))
    assert [(one.request, one.outcome, one.took_us) for one in found] == [
        ("book", "ok", 2), ("home", "ok", 9), ("home", "ok", 5), ("home", "reset", 3),
    ]  # fmt: skip


def test_what_was_due_outside_the_hold_and_what_was_written_twice_does_not_count(tmp_path: Path) -> None:
    folder = written(tmp_path, line(5), line(5), line(9, second=T0 + 60))
    assert len(slowest(read_exemplars(folder), of_each=3, seconds=range(T0, T0 + 10))) == 1


def test_older_records_have_none_and_damage_is_passed_over(tmp_path: Path) -> None:
    assert read_exemplars(tmp_path) == ()
    assert len(read_exemplars(written(tmp_path, {"second": "?"}, line(5), {}))) == 1
