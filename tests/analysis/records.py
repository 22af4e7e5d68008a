"""Records of runs that never were: exact in every count, written in the form of docs/record.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from scenarios.files import plan_to_json
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import Request, Workload
from slo.objective import Availability, Backlog, ErrorRatio, Latency, Objective, Scaling, Throughput

T0 = 1_790_000_000
HLOG_HEAD = '#[Histogram log format version 1.3]\n"StartTimestamp","Interval_Length","Interval_Max","Histogram"\n'
UNAVAILABLE = ("refused", "reset", "unreachable", "timeout connect", "timeout wait", "timeout body")
GO_LIVE: tuple[Objective, ...] = (
    Throughput(name="throughput"),
    Latency(name="p95", quantile_ratio=0.95, below_ms=450.0),
    Latency(name="p99", quantile_ratio=0.99, below_ms=900.0),
    ErrorRatio(name="errors", below_ratio=0.04),
    Availability(name="availability", at_least_ratio=0.999),
    Backlog(name="backlog"),
    Scaling(name="scaling"),
)


@dataclass(frozen=True, kw_only=True)
class Synthetic:
    """A run as it might have been. Every `t` is in seconds after the start of the load.

    Each second `rps` requests are due, dealt over the workers and the requests of the mix; those that do not fail
    and are sent take `latency_ms(t)`, one after the other in turn.
    """

    warm_s: int = 5  # driven, not judged, at the hold's rate
    hold_s: int = 20
    watch_s: int = 10
    rps: int = 100
    rate_to_prove_rps: float | None = None  # None: 95 % of rps
    workers: int = 1
    mix: Mapping[str, float] = field(default_factory=lambda: {"availability": 0.8, "create": 0.2})
    timeout_s: float = 10.0
    latency_ms: Callable[[int], tuple[float, ...]] = lambda _t: (5.0, 6.0, 7.0)
    failed: Mapping[int, Mapping[str, int]] = field(default_factory=dict)  # t → kind → how many, of the mix's first
    failed_ms: float = 3.0
    unsent: Mapping[int, int] = field(default_factory=dict)  # t → how many, of the mix's first
    repeated: Mapping[int, int] = field(default_factory=dict)  # likewise
    lag_us: int | Callable[[int], int] = 120
    control_timer_us: int = 80
    throttled_ratio: float = 0.0
    clock_offset_s: float = 0.0
    lost: Mapping[int, int] = field(default_factory=dict)  # worker → t from which nothing more arrived
    stopped_at_s: int | None = None  # the load was stopped by hand
    killed: bool = False  # golive was killed with -9 at the end of what is recorded: no close
    objectives: tuple[Objective, ...] = GO_LIVE
    plan_changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def duration_s(self) -> int:
        """How long the plan's load is."""
        return self.warm_s + self.hold_s

    @property
    def loaded_s(self) -> int:
        """How long the load really lasted."""
        return self.duration_s if self.stopped_at_s is None else self.stopped_at_s

    @property
    def load_end_unix_s(self) -> float:
        """When the load ended."""
        return float(T0 + self.loaded_s)

    @property
    def watched_until_unix_s(self) -> float:
        """When golive looked away."""
        return float(T0 + self.loaded_s + self.watch_s)

    @property
    def plan(self) -> Plan:
        """What the run was to do."""
        warm = (Phase(name="warm-up", duration_s=self.warm_s, from_rps=self.rps, to_rps=self.rps, judged=False),)
        hold = (Phase(name="hold", duration_s=self.hold_s, from_rps=self.rps, to_rps=self.rps),)
        return Plan(
            **{
                "name": "synthetic",
                "workload": Workload(name="mix", requests=tuple(self._requests())),
                "profile": Profile(phases=warm + hold if self.warm_s else hold),
                "target": Target(
                    name="hotel",
                    url="http://127.0.0.1:8080",
                    target_class=TargetClass.REHEARSAL,
                    prometheus_url="http://127.0.0.1:9090",
                    namespace="hotel",
                ),
                "objectives": self.objectives,
                "rate_to_prove_rps": self.rate_to_prove_rps or 0.95 * self.rps,
                "workers": self.workers,
                **self.plan_changes,
            }
        )

    def _requests(self) -> Iterator[Request]:
        for name, weight in self.mix.items():
            method = "GET" if name == "availability" else "POST"
            yield Request(name=name, weight=weight, method=method, path=f"/{name}", timeout_s=self.timeout_s)

    # --- what was due, in every second --------------------------------------------------------

    def due(self) -> dict[str, int]:
        """How many of each request are due in every second; the mix's first takes what is left over."""
        total = sum(self.mix.values())
        due = {name: int(self.rps * weight / total) for name, weight in self.mix.items()}
        due[next(iter(due))] += self.rps - sum(due.values())
        return due

    def write(self, folder: Path) -> Path:
        """Write the record; returns its folder."""
        self.write_frame(folder)
        deltas = list(self.deltas())
        _write_lines(folder / "seconds.jsonl", (line for delta in deltas for line in delta.counts))
        _write_lines(folder / "workers.jsonl", (delta.vitals for delta in deltas))
        (folder / "load.hlog").write_text(HLOG_HEAD + "".join(line for delta in deltas for line in delta.hlog))
        return folder

    def write_frame(self, folder: Path) -> None:
        """Write all of it that is not a worker's: plan, header, what was due, events, the master's own figures."""
        folder.mkdir(parents=True, exist_ok=True)
        plan = self.plan
        _write_json(folder / "plan.json", plan_to_json(plan))
        _write_json(folder / "run.json", self._header(folder.name, plan))
        due = [list(self.due().values())] * self.duration_s
        _write_json(folder / "due.json", {"format": 1, "seconds": due})
        _write_lines(folder / "events.jsonl", self._events())
        seconds = range(T0, T0 + self.loaded_s)
        master = ({"second": second, "rss_bytes": 80_000_000, "open_fds": 25} for second in seconds)
        _write_lines(folder / "master.jsonl", master)

    def _header(self, run_id: str, plan: Plan) -> dict[str, Any]:
        closed = not self.killed
        complete = self.stopped_at_s is None
        return {
            "format": 1,
            "golive_version": "0.1.0",
            "run_id": run_id,
            "plan": plan.name,
            "target": {"name": plan.target.name, "url": plan.target.url, "class": plan.target.target_class.value},
            "rehearsal": plan.target.target_class is TargetClass.REHEARSAL,
            "workers": self.workers,
            "created_unix_s": T0 - 3.0,
            "t0_unix_s": float(T0) if closed else None,
            "load_end_unix_s": self.load_end_unix_s if closed else None,
            "watched_until_unix_s": self.watched_until_unix_s if closed else None,
            "prometheus_url": plan.target.prometheus_url,
            "ended": "running" if self.killed else "complete" if complete else "stopped",
            "ended_because": "" if self.killed else "the plan is complete" if complete else "stop requested by a test",
            "versions": {"golive": "0.1.0", "python": "3.11"},
            "machine": {"name": "here", "cores": 2, "kernel": "6.1"},
            "fingerprint": {"cluster_uid": ""},
        }

    def _events(self) -> Iterator[dict[str, Any]]:
        yield _event("run_created", T0 - 3.0)
        for worker in range(self.workers):
            yield _event("worker_ready", T0 - 1.0, worker=worker, id=f"w{worker}", clock_offset_s=self.clock_offset_s)
        yield _event("load_started", T0 - 1.0, t0_unix_s=float(T0))
        for start_s, phase in zip(self.plan.profile.starts_s(), self.plan.profile.phases, strict=True):
            if start_s < self.loaded_s:
                at = T0 + start_s
                yield _event("phase_started", at, phase=phase.name, judged=phase.judged, t0_unix_s=at)
        for worker, lost_s in self.lost.items():
            yield _event(
                "worker_lost", T0 + lost_s + 3.5, worker=worker, because="silent for 3.5 s",
                last_seq=lost_s, last_delta_unix_s=float(T0 + lost_s),
            )  # fmt: skip
        if self.killed:
            return
        because = "the plan is complete" if self.stopped_at_s is None else "stop requested by a test"
        yield _event("load_ended", self.load_end_unix_s, because=because)
        for worker in range(self.workers):
            if worker in self.lost:
                what = "lost before its last counts arrived"
                yield _event("worker_undrained", self.load_end_unix_s + 1, worker=worker, because=what)
            else:
                yield _event("worker_drained", self.load_end_unix_s + 1, worker=worker, last_seq=self.loaded_s)
        yield _event("watch_ended", self.watched_until_unix_s, because=f"{self.watch_s} s have passed")
        yield _event("closed", self.watched_until_unix_s)

    # --- what the workers counted -------------------------------------------------------------

    def deltas(self) -> Iterator[Delta]:
        """What each worker drained, second by second."""
        for t in range(self.loaded_s):
            for worker in range(self.workers):
                if t < self.lost.get(worker, self.loaded_s):
                    yield self._delta(t, worker)

    def _delta(self, t: int, worker: int) -> Delta:
        delta = Delta(second=T0 + t, worker=worker, seq=t + 1)
        sent = 0
        for position, (name, due) in enumerate(self.due().items()):
            mine = _share(due, worker, self.workers)
            failed = self.failed.get(t, {}) if position == 0 else {}
            failed = {kind: share for kind, count in failed.items() if (share := _share(count, worker, self.workers))}
            unsent = _share(self.unsent.get(t, 0), worker, self.workers) if position == 0 else 0
            repeated = _share(self.repeated.get(t, 0), worker, self.workers) if position == 0 else 0
            delta.count(name, due=mine, failed=failed, unsent=unsent, repeated=repeated)
            ok = mine - sum(failed.values()) - unsent
            delta.took(name, self.latency_ms(t), ok)
            delta.took(f"{name}!failed", (self.failed_ms,), sum(failed.values()))
            delta.took(f"{name}!failed", (self.timeout_s * 1000,), unsent)
            delta.served(self.latency_ms(t), ok)
            sent += mine - unsent
        lag_us = self.lag_us if isinstance(self.lag_us, int) else self.lag_us(t)
        delta.took("golive.lag", (lag_us / 1000,), sent)
        delta.fared(self)
        return delta


@dataclass
class Delta:
    """What one worker drained of one second."""

    second: int
    worker: int
    seq: int
    counts: list[dict[str, Any]] = field(default_factory=list)
    vitals: dict[str, Any] = field(default_factory=dict)
    in_flight: float = 0.0
    _times: dict[str, dict[int, int]] = field(default_factory=dict)

    def count(self, request: str, *, due: int, failed: Mapping[str, int], unsent: int, repeated: int) -> None:
        answered = due - unsent - sum(failed.values())
        unavailable = sum(n for kind, n in failed.items() if kind in UNAVAILABLE or kind.startswith("status 5"))
        self.counts.append(
            {"second": self.second, "request": request, "due": due, "sent": due - unsent, "ok": answered,
             "failed": dict(failed), "unavailable": unavailable, "unsent": unsent, "sent_bytes": 200 * due,
             "received_bytes": 300 * answered, "worker": self.worker, "seq": self.seq,
             **({"repeated": repeated} if repeated else {})}
        )  # fmt: skip

    def took(self, tag: str, times_ms: tuple[float, ...], count: int) -> None:
        times = self._times.setdefault(tag, {})
        for place, time_ms in enumerate(times_ms):
            share = _share(count, place, len(times_ms))
            if share:
                times[round(time_ms * 1000)] = times.get(round(time_ms * 1000), 0) + share

    def served(self, times_ms: tuple[float, ...], count: int) -> None:
        self.took("golive.service", times_ms, count)
        self.in_flight += sum(_share(count, place, len(times_ms)) * ms for place, ms in enumerate(times_ms)) / 1000

    def fared(self, run: Synthetic) -> None:
        self.vitals = {
            "second": self.second, "worker": self.worker, "in_flight": round(self.in_flight, 3),
            "control_timer_us": run.control_timer_us, "cpu_s": 0.2 * self.seq, "rss_bytes": 90_000_000, "open_fds": 40,
            "periods": 10 * self.seq, "throttled_periods": round(10 * self.seq * run.throttled_ratio),
        }  # fmt: skip

    @property
    def hlog(self) -> list[str]:
        times = {tag: tuple(sorted(counts.items())) for tag, counts in self._times.items() if counts}
        return [f"Tag={tag},{self.second}.000,1.000,0.000,{encoded(counts)}\n" for tag, counts in times.items()]


@cache
def encoded(times_us: tuple[tuple[int, int], ...]) -> str:
    """An HdrHistogram of (value in µs, count) pairs, as the engine encodes it."""
    histogram = HdrHistogram(1, 60_000_000, 3)
    for time_us, count in times_us:
        histogram.record_value(time_us, count)
    return str(histogram.encode().decode())


def _share(count: int, place: int, places: int) -> int:
    """How many of `count` things fall to one of several places when they are dealt in turn."""
    return (count + places - 1 - place) // places


def _event(kind: str, at_unix_s: float, **fields: Any) -> dict[str, Any]:
    return {"at_unix_s": at_unix_s, "event": kind, **fields}


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _write_lines(path: Path, lines: Any) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
