"""Live progress, read from the record as it grows: what is due now, what was sent and answered, how fast."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from loadtest.delta_times import MISSING_ENDING, VISIBLE_ENDING
from loadtest.tail import Tail
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile

LAST_S = 5  # latency and rates are those of the last whole seconds
PLAIN_EVERY_S = 5.0
DRAW_EVERY_S = 1.0


NOTICES = {  # what a person watching must not learn from the verdict only
    "interrupted": "{signal}: the load ends, then the run is judged; once more ends golive at once",
    "stop_requested": "stop requested by {by}: the load ends",
    "abort": "abort limit {limit}: {what}",
    "worker_lost": "worker {worker} is lost: {because}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a person watching wants to know; rates and latencies over the last whole seconds."""

    phase: str
    elapsed_s: float
    left_s: float
    offered_rps: float | None  # None in a closed model: nothing is due
    achieved_rps: float
    p95_ms: float | None
    p99_ms: float | None
    failed: int
    unsent: int
    replicas: str

    def plain(self) -> str:
        """One line for a log (≤ 80 columns in the ordinary case)."""
        latency = f"P95 {_ms(self.p95_ms)} P99 {_ms(self.p99_ms)}"
        trouble = f"failed {self.failed:,}" + (f" unsent {self.unsent:,}" if self.unsent else "")
        replicas = f" {self.replicas}" if self.replicas else ""
        offered = "" if self.offered_rps is None else f"/{self.offered_rps:,.0f}"
        return (
            f"{_clock(self.elapsed_s)} {self.phase} (-{_clock(self.left_s)}) "
            f"{self.achieved_rps:,.0f}{offered} rps {latency} {trouble}{replicas}"
        )


@dataclass(slots=True)
class Watcher:
    """Adds up what the record says, second by second, and forgets what is no longer shown."""

    folder: Path
    plan: Plan
    replicas: Callable[[], str] = lambda: ""
    t0_unix_s: float = 0.0
    load_ended: bool = False
    notices: list[str] = field(default_factory=list)  # not told yet
    _line: Profile = field(init=False)  # the rate line that is on
    _line_unix_s: float = 0.0
    _leg: str = ""  # which leg of a search it is
    _failed: int = 0
    _unsent: int = 0
    _ok: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    _latency: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _events: Tail = field(init=False)
    _seconds: Tail = field(init=False)
    _hlog: Tail = field(init=False)

    def __post_init__(self) -> None:
        """Open the three tails."""
        self._line = self.plan.profile
        self._events = Tail(self.folder / "events.jsonl")
        self._seconds = Tail(self.folder / "seconds.jsonl")
        self._hlog = Tail(self.folder / "load.hlog")

    def look(self, now_unix_s: float) -> Moment | None:
        """Read what is new; None until the load has begun."""
        for line in self._events.lines():
            self._take_event(json.loads(line))
        for line in self._seconds.lines():
            self._take_counts(json.loads(line))
        for line in self._hlog.lines():
            self._take_latency(line)
        return self._moment(now_unix_s) if self.t0_unix_s and now_unix_s >= self.t0_unix_s else None

    def _take_event(self, event: dict[str, object]) -> None:
        if event["event"] == "load_started":
            self.t0_unix_s = self._line_unix_s = float(str(event["t0_unix_s"]))
        if event["event"] == "leg_started":
            self._take_leg(event)
        if event["event"] == "load_ended":
            self.load_ended = True
        notice = NOTICES.get(str(event["event"]))
        if notice and not str(event.get("by", "")).startswith("SIG"):  # a signal has been told as such
            self.notices.append(notice.format_map(event))

    def _take_leg(self, event: dict[str, Any]) -> None:
        """A search drives one leg after the other; how long it takes nobody knows."""
        self._line_unix_s = float(event["t0_unix_s"])
        self._line = Profile(phases=tuple(Phase(**phase) for phase in event["phases"]))
        self._leg = f" {event['rate_rps']:,.0f} rps"

    def _take_counts(self, entry: dict[str, object]) -> None:
        failed = entry["failed"]
        self._failed += sum(failed.values()) if isinstance(failed, dict) else 0
        self._unsent += int(str(entry["unsent"]))
        self._ok[int(str(entry["second"]))] += int(str(entry["ok"]))

    def _take_latency(self, line: str) -> None:
        tag, _, rest = line.partition(",")
        if (
            not tag.startswith("Tag=")
            or tag.startswith("Tag=golive.")
            or tag.endswith((VISIBLE_ENDING, MISSING_ENDING))
        ):
            return
        start, _, _, encoded = rest.split(",")
        self._latency[int(float(start))].append(encoded)

    def _moment(self, now_unix_s: float) -> Moment:
        elapsed_s = now_unix_s - self.t0_unix_s
        newest = int(now_unix_s) - 3  # younger seconds have not been reported whole
        shown = range(max(newest - LAST_S + 1, int(self.t0_unix_s)), newest + 1)
        phase, left_s = self._phase(now_unix_s - self._line_unix_s)
        p95_ms, p99_ms = self._quantiles(shown)
        return Moment(
            phase=phase,
            elapsed_s=elapsed_s,
            left_s=left_s,
            offered_rps=None if self.plan.closed else self._due(shown),
            achieved_rps=sum(self._ok[second] for second in shown) / max(len(shown), 1),
            p95_ms=p95_ms,
            p99_ms=p99_ms,
            failed=self._failed,
            unsent=self._unsent,
            replicas=self.replicas(),
        )

    def _phase(self, elapsed_s: float) -> tuple[str, float]:
        for start_s, phase in zip(self._line.starts_s(), self._line.phases, strict=True):
            if elapsed_s < start_s + phase.duration_s and not self.load_ended:
                return phase.name + self._leg, self._line.duration_s - elapsed_s
        return "watching" if self.load_ended else "draining", 0.0

    def _due(self, shown: range) -> float:
        if not shown:
            return 0.0
        start_s, end_s = shown[0] - self._line_unix_s, shown[-1] + 1 - self._line_unix_s
        return (self._line.arrivals_by(end_s) - self._line.arrivals_by(start_s)) / len(shown)

    def _quantiles(self, shown: range) -> tuple[float | None, float | None]:
        merged = HdrHistogram(1, 60_000_000, 3)
        for second in [second for second in self._latency if second < shown.start]:
            del self._latency[second]
        for second in shown:
            for encoded in self._latency.get(second, ()):
                merged.decode_and_add(encoded)
        if not merged.get_total_count():
            return None, None
        return merged.get_value_at_percentile(95) / 1e3, merged.get_value_at_percentile(99) / 1e3


@dataclass(slots=True)
class Progress:
    """Shows the watcher's moments: a small table on a terminal, a plain line every few seconds elsewhere."""

    watcher: Watcher
    console: Console
    _live: Live | None = None
    _next_s: float = 0.0

    def __call__(self) -> None:
        """Draw, when it is time to."""
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + (DRAW_EVERY_S if self.console.is_terminal else PLAIN_EVERY_S)
        moment = self.watcher.look(time.time())
        while self.watcher.notices:
            self.console.print(self.watcher.notices.pop(0), soft_wrap=True, highlight=False, markup=False)
        if moment is None:
            return
        if not self.console.is_terminal:
            self.console.print(moment.plain(), soft_wrap=True, highlight=False)
            return
        if self._live is None:
            self._live = Live(console=self.console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(_table(moment), refresh=True)

    def close(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _table(moment: Moment) -> Table:
    table = Table.grid(padding=(0, 2))
    times = f"  {_clock(moment.elapsed_s)} gone, {_clock(moment.left_s)} left"
    table.add_row("phase", Text.assemble((moment.phase, "bold"), times))
    if moment.offered_rps is not None:
        table.add_row("offered", f"{moment.offered_rps:,.0f} rps")
    table.add_row("achieved", f"{moment.achieved_rps:,.0f} rps answered as expected")
    table.add_row("latency", f"P95 {_ms(moment.p95_ms)}   P99 {_ms(moment.p99_ms)}   (last {LAST_S} s)")
    table.add_row("failed", f"{moment.failed:,}   unsent {moment.unsent:,}")
    if moment.replicas:
        table.add_row("replicas", moment.replicas)
    return table


def _ms(value_ms: float | None) -> str:
    if value_ms is None:
        return "-"
    return f"{value_ms:,.1f} ms" if value_ms < 10 else f"{value_ms:,.0f} ms"


def _clock(duration_s: float) -> str:
    whole = max(int(duration_s), 0)
    return f"{whole // 60}:{whole % 60:02d}"
