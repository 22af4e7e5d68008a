"""What the master's metrics page tells of a run: totals that only rise, fed from accepted deltas and from events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.delta_times import (
    FAILED_ENDING,
    LAG_TAG,
    MISSING_ENDING,
    SERVICE_TAG,
    VISIBLE_ENDING,
    Bounds,
    Times,
)
from scenarios.failure_kinds import KINDS, STATUS

MOST_REQUESTS, MOST_KINDS, MOST_WORKERS = 100, 40, 100  # that have series of their own
OTHERS = "(others)"  # under this name the rest is added up: nothing is left out
# Shown from the start at 0: of a series that begins with more, rate() misses the beginning.
USUAL_KINDS = (*KINDS, *(f"{STATUS}{code}" for code in (400, 401, 403, 404, 409, 429, 500, 502, 503, 504)))
TOTALS = ("due", "sent", "ok", "unsent", "sent_bytes", "received_bytes")
# What the master sees by itself while the load is on; slo/findings.py names them so, and knows more afterwards.
CHECKS_BY_EVENT = {
    "worker_lost": "worker-lost",
    "worker_late": "worker-late",
    "worker_duplicate": "worker-started-twice",
    "rate_changed": "rate-changed",
    "abort": "cut-short",
    "stop_requested": "cut-short",
}
CHECKS_BY_KIND = {"local ports": "local-ports-exhausted", "file handles": "file-handles-exhausted"}
UNSENT_CHECK = "unsent-arrivals"
CHECKS = (*dict.fromkeys((*CHECKS_BY_EVENT.values(), *CHECKS_BY_KIND.values(), UNSENT_CHECK)),)


@dataclass(slots=True)
class Distribution:
    """Times by bucket, not cumulated: up to the first bound, …, above the last."""

    bounds_us: list[int]
    counts: list[int] = field(init=False)
    sum_ms: float = 0.0

    def __post_init__(self) -> None:
        """Begin empty."""
        self.counts = [0] * (len(self.bounds_us) + 1)

    def add(self, times: Times) -> None:
        """Add a second's times, counted by the same bounds."""
        self.sum_ms += times.total_ms
        for index, count in enumerate(times.by_bucket):
            self.counts[index] += count


@dataclass(slots=True)
class WorkerSeen:
    """One worker as its last delta showed it."""

    in_flight: float = 0.0
    control_timer_us: float = 0.0
    vitals: Mapping[str, float] = field(default_factory=dict)
    state: str = ""  # running, lost or drained
    clock_offset_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Tally:
    """One run in numbers. A name's place in `totals` is bounded: see MOST_REQUESTS."""

    requests: Iterable[str]  # the names that will come, as far as they are known
    bounds: Bounds
    expected_workers: int
    totals: dict[str, Counter[str]] = field(default_factory=dict)  # request → of TOTALS
    failures: Counter[str] = field(default_factory=Counter)  # by kind
    durations: dict[tuple[str, str], Distribution] = field(default_factory=dict)  # request, which
    lag: Distribution = field(init=False)
    workers: dict[int, WorkerSeen] = field(default_factory=dict)
    found: Counter[str] = field(default_factory=Counter)  # how often, of CHECKS
    events: Counter[str] = field(default_factory=Counter)
    deltas: int = 0
    phase: tuple[str, bool] | None = None  # its name and whether it is judged
    load_start_unix_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin empty."""
        self.lag = Distribution(self.bounds.lags_us)
        self.failures.update(dict.fromkeys(USUAL_KINDS, 0))
        for request in self.requests:
            self._of((self._name(request), "intended"))
        self._of(("", "service"))

    def accepted(self, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        """Add a delta (engine/DELTA.md) that has been accepted, but for its times."""
        self.deltas += 1
        for entry in body.get("counts", ()):
            self._count(entry)
        seen = self.workers.setdefault(worker, WorkerSeen())
        seen.vitals = vitals
        seen.in_flight = float(_newest(body.get("in_flight", ()), seen.in_flight))
        seen.control_timer_us = float(_newest(body.get("control_timer_us", ()), seen.control_timer_us))

    def timed(self, times: Iterable[Times]) -> None:
        """Add the times of the deltas accepted since the last call."""
        for one in times:
            if one.tag == LAG_TAG:
                self.lag.add(one)
            else:
                self._of(self._key(one.tag)).add(one)

    def happened(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take note of an event of the record (docs/record.md)."""
        self.events[kind] += 1
        if kind in CHECKS_BY_EVENT:
            self.found[CHECKS_BY_EVENT[kind]] += 1
        match kind:
            case "load_started":
                self.load_start_unix_s = float(fields["t0_unix_s"])
            case "phase_started":
                self.phase = (str(fields["phase"]), bool(fields["judged"]))
            case "load_ended" | "leg_ended":
                self.phase = None
            case "leg_started":  # of a search: the same workers, again
                for seen in self.workers.values():
                    seen.state = "running" if seen.state == "drained" else seen.state
            case "worker_ready" | "worker_lost" | "worker_returned" | "worker_drained":
                self._worker(kind.removeprefix("worker_"), fields)

    def _count(self, entry: Mapping[str, Any]) -> None:
        name = self._name(entry["request"])
        totals = self.totals[name]
        for what in TOTALS:
            totals[what] += entry[what]
        self.found[UNSENT_CHECK] += entry["unsent"]
        for kind, count in entry["failed"].items():
            totals["failed"] += count
            self.failures[kind if kind in self.failures or len(self.failures) < MOST_KINDS else OTHERS] += count
            if kind in CHECKS_BY_KIND:
                self.found[CHECKS_BY_KIND[kind]] += count

    def _of(self, key: tuple[str, str]) -> Distribution:
        known = self.durations.get(key)
        if known is None:
            known = self.durations[key] = Distribution(self.bounds.durations_us)
        return known

    def _key(self, tag: str) -> tuple[str, str]:
        """Whose time it is, and which: from the intended start, of failures, of effects seen or missed, or service."""
        if tag == SERVICE_TAG:
            return "", "service"
        for ending in (FAILED_ENDING, VISIBLE_ENDING, MISSING_ENDING):
            if tag.endswith(ending):
                return self._name(tag.removesuffix(ending)), ending.removeprefix("!")
        return self._name(tag), "intended"

    def _name(self, request: str) -> str:
        if request not in self.totals:
            if len(self.totals) >= MOST_REQUESTS:
                request = OTHERS
            self.totals.setdefault(request, Counter())
        return request

    def _worker(self, what: str, fields: Mapping[str, Any]) -> None:
        seen = self.workers.setdefault(int(fields["worker"]), WorkerSeen())
        seen.state = what if what in ("lost", "drained") else "running"
        seen.clock_offset_s = float(fields.get("clock_offset_s", seen.clock_offset_s))


def _newest(pairs: Iterable[tuple[int, float]], otherwise: float) -> float:
    """The value of the newest second."""
    return max(pairs, default=(0, otherwise))[1]
