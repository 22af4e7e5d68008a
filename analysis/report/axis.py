"""The one time axis that all charts share: its ticks, the phases on it, and what happened when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.events import Event
from analysis.report.wording import into_run
from analysis.report.worst_window import WorstWindow
from analysis.results import RunRecord
from slo.evidence import Window

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
MOST_TICKS = 12
POINTS_AT_MOST = 1000

MARKED = {
    "worker_lost": "worker {worker} lost: {because}",
    "worker_returned": "worker {worker} came back",
    "abort": "aborted at the limit {limit}: {what}",
    "stop_requested": "stop requested by {by}",
    "interrupted": "interrupted by {signal}",
    "rate_changed": "rate changed by {by}: {what}",
    "stage_part_died": "part of the rehearsal stage died: {part}",
    "worker_duplicate": "worker {shard} was started twice: pod {pod} was sent home",
    "master_pod_lost": "the master's pod was lost: {because}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time that is written at the axis; `at` is in percent of its width."""

    at: float
    label: str
    is_minor: bool  # left out where there is little room


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the axis, in percent of its width. kind: phase, judged, watch or worst."""

    start: float
    width: float
    name: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Something that happened at one instant, numbered in order."""

    at: float
    number: int
    when: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """From the start of the load to the end of the watch."""

    start_unix_s: float
    end_unix_s: float
    seconds_per_point: int
    ticks: tuple[Tick, ...]
    phases: tuple[Band, ...]
    worst: tuple[Band, ...]
    markers: tuple[Marker, ...]

    @property
    def judged(self) -> tuple[Band, ...]:
        """The phases that are judged."""
        return tuple(band for band in self.phases if band.kind == "judged")


def time_axis(
    record: RunRecord,
    timeline: pd.DataFrame,
    hold: Window,
    worst: WorstWindow | None,
    moments: tuple[tuple[float, str], ...] = (),
) -> TimeAxis | None:
    """The axis of this run; None when no load began. moments: what is marked beside the events, at unix seconds."""
    if timeline.empty:
        return None
    start_unix_s = float(timeline["second"].iloc[0])
    line = _Line(start_unix_s, float(timeline["second"].iloc[-1]) + 1)
    length_s = int(line.end_unix_s - line.start_unix_s)
    return TimeAxis(
        start_unix_s=line.start_unix_s,
        end_unix_s=line.end_unix_s,
        seconds_per_point=max(1, -(-length_s // POINTS_AT_MOST)),
        ticks=tuple(_ticks(line)),
        phases=tuple(_phases(record, line, hold)),
        worst=_worst(line, worst),
        markers=tuple(_markers(record, line, moments)),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    start_unix_s: float
    end_unix_s: float

    def at(self, unix_s: float) -> float:
        share = (unix_s - self.start_unix_s) / (self.end_unix_s - self.start_unix_s)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def band(self, start_unix_s: float, end_unix_s: float, name: str, kind: str) -> Band | None:
        start, end = self.at(start_unix_s), self.at(end_unix_s)
        return Band(start=start, width=round(end - start, 3), name=name, kind=kind) if end > start else None


def _ticks(line: _Line) -> Iterator[Tick]:
    length_s = line.end_unix_s - line.start_unix_s
    step_s = next((step for step in STEPS_S if length_s / step <= MOST_TICKS), STEPS_S[-1])
    for number in range(int(length_s // step_s) + 1):
        at_s = number * step_s
        if at_s <= 0.97 * length_s:  # a label at the very end would be cut off
            yield Tick(at=line.at(line.start_unix_s + at_s), label=into_run(at_s), is_minor=number % 3 != 0)


def _phases(record: RunRecord, line: _Line, hold: Window) -> Iterator[Band]:
    began_unix_s = line.start_unix_s if record.header.t0_unix_s is None else record.header.t0_unix_s
    profile = record.plan.profile
    ended_unix_s = record.header.load_end_unix_s or max(hold.end_unix_s, line.start_unix_s)
    ended_unix_s = min(ended_unix_s, began_unix_s + profile.duration_s)
    for phase, start_s in zip(profile.phases, profile.starts_s(), strict=True):
        start_unix_s = began_unix_s + start_s
        end_unix_s = min(start_unix_s + phase.duration_s, ended_unix_s)
        band = line.band(start_unix_s, end_unix_s, phase.name, "judged" if phase.judged else "phase")
        if band:
            yield band
    watch = line.band(ended_unix_s, line.end_unix_s, "watch", "watch")
    if watch:
        yield watch


def _worst(line: _Line, worst: WorstWindow | None) -> tuple[Band, ...]:
    if worst is None:
        return ()
    end_unix_s = worst.start_unix_s + worst.duration_s
    band = line.band(worst.start_unix_s, end_unix_s, f"worst {worst.duration_s} s", "worst")
    return (band,) if band else ()


def _markers(record: RunRecord, line: _Line, moments: tuple[tuple[float, str], ...]) -> Iterator[Marker]:
    told = [*moments, *((event.at_unix_s, _what(event)) for event in record.events if event.kind in MARKED)]
    for number, (at_unix_s, what) in enumerate(sorted(told, key=lambda one: one[0]), start=1):
        yield Marker(
            at=line.at(at_unix_s), number=number, when=into_run(at_unix_s - line.start_unix_s), what=what
        )  # fmt: skip


def _what(event: Event) -> str:
    class Known(dict[str, object]):
        def __missing__(self, name: str) -> str:
            return f"unknown {name}"

    return MARKED[event.kind].format_map(Known(event.fields))
