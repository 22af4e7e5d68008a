"""A delta's counts in the shape of Locust's own tables, so that its web UI, CSV and HTML tell the same totals.

Locust's entry for a name (stats.StatsEntryDict) counts successes and failures in `num_requests`; requests without a
time in `num_none_requests`. Here the times are those of the requests answered as expected, from their intended
start; failed ones have none. Unsent arrivals are no requests and do not appear.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.delta_times import Times

# Locust counts requests by second for ever and looks at the last 12 seconds only (2.47, StatsEntry.current_rps):
# over hours that is what grows, some 4 MB an hour for ten requests.
SECONDS_KEPT = 60


@dataclass(slots=True, kw_only=True)
class Row:
    """What one delta adds to one name's entry."""

    requests: int = 0
    failures: int = 0
    received_bytes: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    requests_by_second: Counter[int] = field(default_factory=Counter)
    failures_by_second: Counter[int] = field(default_factory=Counter)
    times_ms: Counter[int] = field(default_factory=Counter)
    total_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float = 0.0

    def entry(self, *, name: str, method: str, start_unix_s: float) -> dict[str, Any]:
        """The row as `locust.stats.StatsEntry.unserialize` takes it."""
        return {
            "name": name,
            "method": method,
            "last_request_timestamp": max(self.requests_by_second, default=0) or None,
            "start_time": start_unix_s,
            "num_requests": self.requests,
            "num_none_requests": self.failures,
            "num_failures": self.failures,
            "total_response_time": self.total_ms,
            "max_response_time": self.max_ms,
            "min_response_time": self.min_ms,
            "total_content_length": self.received_bytes,
            "response_times": dict(self.times_ms),
            "num_reqs_per_sec": dict(self.requests_by_second),
            "num_fail_per_sec": dict(self.failures_by_second),
        }


@dataclass(slots=True)
class Rows:
    """What deltas have added since the rows were last taken, by request name."""

    _found: dict[str, Row] = field(default_factory=dict)

    def count(self, body: Mapping[str, Any]) -> None:
        """Add the counts of a delta (engine/DELTA.md)."""
        for entry in body.get("counts", ()):
            _count(self._found.setdefault(entry["request"], Row()), entry)

    def take(self, times: Iterable[Times]) -> dict[str, Row]:
        """The rows with these times, which came with the same deltas; then they begin anew."""
        found, self._found = self._found, {}
        for one in times:
            if one.tag in found:
                _time(found[one.tag], one)
        return {name: row for name, row in found.items() if row.requests}


def _count(row: Row, entry: Mapping[str, Any]) -> None:
    failed = sum(entry["failed"].values())
    row.requests += entry["ok"] + failed
    row.failures += failed
    row.received_bytes += entry["received_bytes"]
    row.errors.update(entry["failed"])
    row.requests_by_second[entry["second"]] += entry["ok"] + failed
    if failed:
        row.failures_by_second[entry["second"]] += failed


def _time(row: Row, times: Times) -> None:
    row.total_ms += times.total_ms
    row.min_ms = times.min_ms if row.min_ms is None else min(row.min_ms, times.min_ms)
    row.max_ms = max(row.max_ms, times.max_ms)
    row.times_ms.update(times.by_rounded_ms)


def forget_old_seconds(stats: Any) -> None:
    """Drop from `locust.stats.RequestStats` the seconds that it will not look at again, once they are twice as many."""
    oldest_s = int(stats.last_request_timestamp or 0) - SECONDS_KEPT
    for entry in (stats.total, *stats.entries.values()):
        for by_second in (entry.num_reqs_per_sec, entry.num_fail_per_sec):
            if len(by_second) > 2 * SECONDS_KEPT:
                for second in [second for second in by_second if second < oldest_s]:
                    del by_second[second]
