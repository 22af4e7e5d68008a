"""Counts what Locust's users send in the shape of the engine's deltas (engine/DELTA.md)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtest.closed_kinds import kind_of, tag_of, words_of
from loadtest.delta_times import FAILED_ENDING
from scenarios.closed_plan import OTHER_NAMES
from scenarios.failure_kinds import is_unavailable

LOWEST_US, HIGHEST_US, DIGITS = 1, 60_000_000, 3
US_PER_MS = 1000.0
# A name with an id in it is a new one with each request: a record of them all could be neither kept nor read.
MOST_NAMES = 500


@dataclass(slots=True)
class _Cell:
    ok: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    received_bytes: int = 0
    untimed: int = 0  # of the ok ones, those whose event had no time
    answered: Any = None
    unanswered: Any = None

    def time(self, time_us: int, *, failed: bool) -> None:
        if failed:
            self.unanswered = self.unanswered or _histogram()
        else:
            self.answered = self.answered or _histogram()
        (self.unanswered if failed else self.answered).record_value(time_us)


@dataclass(slots=True)
class ClosedCounts:
    """Everything counted since it was last taken, by second of the actual send and by request name."""

    most_names: int = MOST_NAMES
    _cells: dict[tuple[int, str], _Cell] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)  # of the whole run
    _raised: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)

    def count(
        self, *, second: int, name: object, time_ms: float | None, length: int, exception: object, status: int
    ) -> None:
        """Count one request that has ended."""
        cell = self._cells.setdefault((second, self._row(tag_of(name))), _Cell())
        cell.received_bytes += length
        if exception is not None:
            cell.failed[kind_of(exception, status)] += 1
        else:
            cell.ok += 1
            if time_ms is None:  # counted as fast it would help every percentile
                cell.untimed += 1
                return
        time_us = round(min(max((time_ms or 0.0) * US_PER_MS, LOWEST_US), HIGHEST_US))
        cell.time(time_us, failed=exception is not None)

    def raised(self, *, second: int, what: str, said: str) -> None:
        """Count an exception that ended a task; said: in the words of the first of its kind."""
        count, first = self._raised.get((second, what), (0, words_of(said)))
        self._raised[second, what] = (count + 1, first)

    def take(self, *, timers_us: list[tuple[int, int]]) -> str:
        """A delta as JSON; then the counts begin anew. Empty when there is nothing to tell."""
        cells, self._cells = self._cells, {}
        raised, self._raised = self._raised, {}
        if not cells and not timers_us and not raised:
            return ""
        return json.dumps({
            "counts": [_entry(second, tag, cell) for (second, tag), cell in cells.items()],
            "latency": [
                {"second": second, "tag": tag + ending, "hdr": found.encode().decode("ascii")}
                for (second, tag), cell in cells.items()
                for ending, found in (("", cell.answered), (FAILED_ENDING, cell.unanswered))
                if found is not None
            ],
            "control_timer_us": timers_us,
            "raised": [
                {"second": second, "what": what, "said": said, "count": count}
                for (second, what), (count, said) in raised.items()
            ],
        })  # fmt: skip

    def _row(self, tag: str) -> str:
        """The name's own row, for as long as there are few of them."""
        if tag not in self._names:
            if len(self._names) >= self.most_names:
                return OTHER_NAMES
            self._names.add(tag)
        return tag


def _histogram() -> Any:
    return HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)


def _entry(second: int, tag: str, cell: _Cell) -> dict[str, Any]:
    """In a closed model nothing is due but what was sent."""
    failed = cell.failed.total()
    sent = cell.ok + failed
    unavailable = sum(count for kind, count in cell.failed.items() if is_unavailable(kind))
    untimed = {"untimed": cell.untimed} if cell.untimed else {}
    return {
        "second": second, "request": tag, "due": sent, "sent": sent, "ok": cell.ok, "failed": dict(cell.failed),
        "unavailable": unavailable, "unsent": 0, "sent_bytes": 0, "received_bytes": cell.received_bytes, **untimed,
    }  # fmt: skip
