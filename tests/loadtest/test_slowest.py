"""However much the workers tell of their slowest requests, few are written down, and the slowest are among them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadtest.record import RecordWriter
from loadtest.slowest import KEPT, WINDOW_S, WINDOWS_OPEN, Sieve

SECOND = 1_790_000_000


def told(took_us: int, *, second: int = SECOND, request: str = "home", outcome: str = "ok") -> dict[str, Any]:
    due_us = second * 1_000_000
    return {
        "second": second, "request": request, "number": 1, "trace_id": "", "sampled": False, "outcome": outcome,
        "due_unix_us": due_us, "sent_unix_us": due_us, "done_unix_us": due_us + took_us,
    }  # fmt: skip


def took(entries: list[Any]) -> list[int]:
    return [entry["done_unix_us"] - entry["due_unix_us"] for entry in entries]


@given(st.lists(st.lists(st.integers(1, 10_000), max_size=8), max_size=20))
def test_the_slowest_of_a_window_are_always_written(deltas: list[list[int]]) -> None:
    sieve = Sieve()
    written = [entry for delta in deltas for entry in sieve.through([told(us) for us in delta])]
    slowest = sorted((us for delta in deltas for us in delta), reverse=True)[:KEPT]
    assert sorted(took(written), reverse=True)[: len(slowest)] == slowest


def test_a_thousand_workers_that_tell_the_same_are_written_as_few() -> None:
    sieve = Sieve()
    assert sum(len(list(sieve.through([told(50), told(60)]))) for _ in range(1000)) <= 2 * KEPT


def test_failures_and_other_requests_have_a_sieve_of_their_own() -> None:
    sieve = Sieve()
    list(sieve.through([told(9_000)] * KEPT))
    others = [told(5, outcome="reset"), told(6, request="search"), told(7, second=SECOND + WINDOW_S)]
    assert list(sieve.through(others)) == others


def test_what_comes_much_too_late_is_not_written_and_memory_does_not_grow() -> None:
    sieve = Sieve()
    for window in range(100):
        list(sieve.through([told(5, second=SECOND + window * WINDOW_S)]))
    assert len(sieve._slowest) == WINDOWS_OPEN
    assert list(sieve.through([told(9_999, second=SECOND)])) == []


def test_an_accepted_delta_leaves_its_slowest_in_the_record(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.delta(worker=2, seq=3, body={"counts": [], "latency": [], "exemplars": [told(700)]})
    line = json.loads((tmp_path / "exemplars.jsonl").read_text())
    assert (line["worker"], line["seq"], line["request"]) == (2, 3, "home")
    record.close()
