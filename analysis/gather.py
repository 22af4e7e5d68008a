"""Pulls every series a verdict needs out of Prometheus and into the record, so that judging never needs it again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.evidence_files import Asked, write_answer
from analysis.hold import hold_of
from analysis.ports import MetricsSource, MetricsUnreachable, Series
from analysis.promql import OWN, SCRAPES, expressions, scrapes
from analysis.results import RunRecord
from analysis.scrapes import SETTLED_AFTER_S
from scenarios.errors import MetricsUnavailable
from slo.evidence import NotSeen, Window

BEFORE_S = 60.0  # two scrapes of a slow Prometheus lie before the load
MOST_POINTS = 10_000  # Prometheus answers a range query with 11,000 points at most
WAIT_AT_LEAST_S, WAIT_AT_MOST_S = 4.0, 65.0
LOOK_EVERY_S = 0.5
RECENT_S = 120.0
GIVE_UP_AFTER = 2  # questions in a row that nobody answered


@dataclass(slots=True)
class Clock:
    """The time of day, and waiting."""

    now_unix_s: Callable[[], float] = time.time
    sleep_s: Callable[[float], None] = time.sleep


def gather(record: RunRecord, metrics: MetricsSource | NotSeen, clock: Clock | None = None) -> None:
    """Write `evidence/*.json`: each series with its query, server and window, or the reason why it could not be had.

    Never raises for what Prometheus does, and ends in a few seconds when it is dead. Right after a load it waits for a
    scrape that has counted the last requests, for about as long as this Prometheus takes between two.
    """
    clock = clock or Clock()
    silences = [] if isinstance(metrics, NotSeen) else _await_a_last_scrape(record, metrics, clock)
    folder, window = record.folder / "evidence", span_of(record, clock)
    pull = _Pull(folder=folder, metrics=metrics, window=window, clock=clock, silences=silences)
    target = record.plan.target
    asked = expressions(target, hold_of(record).window.duration_s)
    pull.samples(SCRAPES, scrapes(target, pull.window.duration_s))
    for name in (*OWN, *(name for name in asked if name not in OWN)):
        pull.range(name, asked.get(name, ""))


def span_of(record: RunRecord, clock: Clock) -> Window:
    """From a while before the load to the end of the watch, on whole seconds."""
    header = record.header
    start_unix_s = header.created_unix_s if header.t0_unix_s is None else header.t0_unix_s
    planned_end_unix_s = start_unix_s + record.plan.profile.duration_s
    load_end_unix_s = header.load_end_unix_s or planned_end_unix_s
    end_unix_s = header.watched_until_unix_s or load_end_unix_s
    if clock.now_unix_s() - load_end_unix_s < RECENT_S:
        end_unix_s = max(end_unix_s, clock.now_unix_s())
    return Window(start_unix_s=math.floor(start_unix_s - BEFORE_S), end_unix_s=math.ceil(end_unix_s))


def _await_a_last_scrape(record: RunRecord, metrics: MetricsSource, clock: Clock) -> list[str]:
    """Wait for it as long as it may take; returns in words that nobody answered, or nothing."""
    load_end_unix_s = record.header.load_end_unix_s
    promql = scrapes(record.plan.target, RECENT_S)
    began_unix_s = clock.now_unix_s()
    if load_end_unix_s is None or not promql or began_unix_s - load_end_unix_s > RECENT_S:
        return []
    while True:
        try:
            seen = metrics.query(promql, at_unix_s=clock.now_unix_s())
        except MetricsUnavailable as trouble:
            return [trouble.problem] if isinstance(trouble, MetricsUnreachable) else []
        came = bool(seen) and max(series.at_unix_s[-1] for series in seen) >= load_end_unix_s + SETTLED_AFTER_S
        if not seen or came or clock.now_unix_s() - began_unix_s >= _patience_s(seen):
            return []
        clock.sleep_s(LOOK_EVERY_S)


def _patience_s(seen: tuple[Series, ...]) -> float:
    """How long the next scrape may take: the longest usual distance between two, and a little."""
    distances_s = [float(np.median(np.diff(series.at_unix_s))) for series in seen if len(series.at_unix_s) > 1]
    return min(max([WAIT_AT_LEAST_S, *(distance_s + LOOK_EVERY_S for distance_s in distances_s)]), WAIT_AT_MOST_S)


@dataclass(slots=True, kw_only=True)
class _Pull:
    """Asks one question after the other, and no more once nobody answers."""

    folder: Path
    metrics: MetricsSource | NotSeen
    window: Window
    clock: Clock
    silences: list[str]  # questions in a row that nobody answered

    @property
    def step_s(self) -> float:
        """A second, or as much as keeps a long run's series within what Prometheus gives."""
        return float(max(1, math.ceil(self.window.duration_s / MOST_POINTS)))

    def range(self, name: str, promql: str) -> None:
        """Pull an expression's value at every step."""
        window = self.window
        self._write(name, promql, self.step_s, lambda metrics: metrics.query_range(
            promql, start_unix_s=window.start_unix_s, end_unix_s=window.end_unix_s, step_s=self.step_s
        ))  # fmt: skip

    def samples(self, name: str, promql: str) -> None:
        """Pull the stored samples themselves."""
        self._write(name, promql, 0.0, lambda metrics: metrics.query(promql, at_unix_s=self.window.end_unix_s))

    def _write(self, name: str, promql: str, step_s: float, ask: Callable[[MetricsSource], tuple[Series, ...]]) -> None:
        asked = Asked(
            query=promql,
            server="" if isinstance(self.metrics, NotSeen) else self.metrics.server,
            start_unix_s=self.window.start_unix_s,
            end_unix_s=self.window.end_unix_s,
            step_s=step_s,
            fetched_unix_s=self.clock.now_unix_s(),
        )
        # On a full disk the file is missing afterwards, and that is what judging says.
        with suppress(OSError):
            write_answer(self.folder, name, asked, self._answer(name, promql, ask))

    def _answer(
        self, name: str, promql: str, ask: Callable[[MetricsSource], tuple[Series, ...]]
    ) -> tuple[Series, ...] | NotSeen:
        if isinstance(self.metrics, NotSeen):
            return self.metrics
        if not promql:
            return NotSeen(f"this target names no query for {name.replace('_', ' ')}")
        if len(self.silences) >= GIVE_UP_AFTER:
            return NotSeen(self.silences[-1])
        try:
            answer = ask(self.metrics)
        except MetricsUnreachable as silence:
            self.silences.append(silence.problem)
            return NotSeen(silence.problem)
        except MetricsUnavailable as refusal:
            return NotSeen(refusal.problem)
        self.silences.clear()
        return answer
