"""Which of the workers' slowest requests are worth writing down: few, however many workers tell of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

WINDOW_S = 10  # in so many seconds …
KEPT = 5  # … so many of each kind of request, of those answered and of those that failed
WINDOWS_OPEN = 8  # late answers come long after their second; older windows take no more


@dataclass(slots=True)
class Sieve:
    """Lets through what is slower than all but a few before it in its window; memory does not grow with the run."""

    _slowest: dict[int, dict[tuple[str, bool], list[int]]] = field(default_factory=dict)

    def through(self, entries: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The entries of a delta that are worth a line, in their order."""
        for entry in entries:
            window = int(entry["second"]) // WINDOW_S
            if window not in self._slowest and not self._open(window):
                continue
            kept = self._slowest[window].setdefault((str(entry["request"]), entry["outcome"] == "ok"), [])
            took_us = int(entry["done_unix_us"]) - int(entry["due_unix_us"])
            if len(kept) < KEPT or took_us > kept[0]:
                kept.append(took_us)
                kept.sort()
                del kept[:-KEPT]
                yield entry

    def _open(self, window: int) -> bool:
        if len(self._slowest) >= WINDOWS_OPEN:
            oldest = min(self._slowest)
            if window < oldest:
                return False
            del self._slowest[oldest]
        self._slowest[window] = {}
        return True
