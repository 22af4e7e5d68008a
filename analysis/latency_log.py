"""The run's latency log (`load.hlog`): exact histograms per second and tag, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.histograms import (
    HistogramUnreadable,
    decode_counts,
    has_larger_counts,
    highest_values,
    plain_counts,
)
from analysis.json_lines import pieces
from slo.evidence import Counts, LatencyTable

DIGITS = 3  # significant digits of every histogram that golive writes
NOT_A_HISTOGRAM = ("#", '"', "\n")  # how a comment, the column names and an empty line begin
LINES_AT_ONCE = 1000
SECONDS_AT_ONCE = 120  # decoded together: enough for numpy, some 20 MB
FAILED = "!failed"  # a request's tag with this at its end holds the latency of its failures
VISIBLE = "!visible"  # a poll's tag with this holds how long what was accepted took to be seen
MISSING = "!missing"  # and this how long was waited for what never came
OWN_TAGS = "golive."  # what begins so is about golive, not about one request
LAG = "golive.lag"
USUAL_SLOTS, MOST_CELLS = 6_000, 48_000_000  # of one table: 2 h 13 min at full resolution, 200 MB
SERVICE = "golive.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One line: what took how long in one second (unix, of the intended start) under one tag, still encoded."""

    tag: str
    second: int
    counts: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatencyLog:
    """Every histogram of a run. Several lines of one second and tag (workers, late answers) add up."""

    intervals: tuple[Interval, ...]  # by second
    _decoded: dict[frozenset[str], _Sheet] = field(default_factory=dict, repr=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in it, in order."""
        return tuple(sorted({interval.tag for interval in self.intervals}))

    def table(self, tags: Iterable[str], seconds: range | Counts) -> LatencyTable:
        """The histograms under any of `tags`, added up; a row for each of `seconds` (consecutive, unix), in µs.

        Exact to HDR's slots (0.1 %) for a log of up to two hours; for each doubling of that, two neighbouring slots are
        taken together and stand at the higher one's value: coarser, never understated.
        """
        return self._sheet(frozenset(tags)).table(seconds)

    def total(self, tags: Iterable[str]) -> int:
        """How many requests there are under any of `tags`, over the whole log."""
        return int(self._sheet(frozenset(tags)).counts.sum(dtype=np.int64))

    def _sheet(self, tags: frozenset[str]) -> _Sheet:
        """All seconds of these tags; kept, for what judges and what draws ask for the same."""
        if tags not in self._decoded:
            self._decoded[tags] = _sheet([interval for interval in self.intervals if interval.tag in tags])
        return self._decoded[tags]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sheet:
    """The counts of some tags: a row for each second of the log, a column for each slot that is used."""

    first_second: int
    slots: NDArray[np.int64]
    counts: NDArray[np.int32]

    def table(self, seconds: range | Counts) -> LatencyTable:
        """A row for each of these seconds, also of those that the log does not reach."""
        first = int(seconds[0]) if len(seconds) else 0
        rows = np.arange(first, first + len(seconds)) - self.first_second
        inside = (rows >= 0) & (rows < len(self.counts))
        cut = self.counts[rows[inside]]
        used = np.flatnonzero(cut.any(axis=0))
        counts = np.zeros((len(rows), len(used)), dtype=np.int64)
        counts[inside] = cut[:, used]
        return LatencyTable(values_us=highest_values(self.slots[used], digits=DIGITS), counts=counts)


def _sheet(intervals: Sequence[Interval]) -> _Sheet:
    if not intervals:
        return _Sheet(first_second=0, slots=np.empty(0, np.int64), counts=np.empty((0, 0), np.int32))
    first, last = intervals[0].second, intervals[-1].second
    seconds = np.array([interval.second for interval in intervals])
    together = slots_together(last + 1 - first)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int32]]] = []
    for start in range(first, last + 1, SECONDS_AT_ONCE):
        rows = min(SECONDS_AT_ONCE, last + 1 - start)
        these = slice(*np.searchsorted(seconds, [start, start + rows]))
        parts.append(_added(intervals[these], seconds[these] - start, rows, together))
    columns = np.unique(np.concatenate([used for used, _ in parts]))
    counts = np.zeros((last + 1 - first, len(columns)), dtype=np.int32)
    for number, (used, part) in enumerate(parts):
        start = number * SECONDS_AT_ONCE
        counts[start : start + len(part), np.searchsorted(columns, used)] = part
    return _Sheet(first_second=first, slots=(columns + 1) * together - 1, counts=counts)


def slots_together(seconds: int) -> int:
    """How many neighbouring slots a table of so many seconds takes together: a power of two."""
    together = 1
    while seconds * USUAL_SLOTS // together > MOST_CELLS:
        together *= 2
    return together


def _added(
    intervals: Sequence[Interval], row_of: NDArray[np.int64], rows: int, together: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The used columns (slots, or so many slots together) of some histograms, and their counts added up by row."""
    decoded = decode_counts([interval.counts for interval in intervals])
    column = decoded.slot // together if together > 1 else decoded.slot
    columns = int(column.max()) + 1 if len(column) else 0
    place = row_of[decoded.row] * columns + column
    # bincount adds in floating point: exact below 2^53, and no second has that many requests.
    counts = np.bincount(place, weights=decoded.count, minlength=rows * columns).reshape(rows, columns)
    used = np.flatnonzero(counts.any(axis=0))
    return used, counts[:, used].astype(np.int32)


def merged(one: LatencyTable, other: LatencyTable) -> LatencyTable:
    """Two tables of the same seconds, added up."""
    values_us = np.union1d(one.values_us, other.values_us)
    counts = np.zeros((len(one.counts), len(values_us)), dtype=np.int64)
    for table in (one, other):
        counts[:, np.searchsorted(values_us, table.values_us)] += table.counts
    return LatencyTable(values_us=values_us, counts=counts)


def read_latency_log(path: Path, start: int = 0) -> tuple[LatencyLog, tuple[str, ...]]:
    """Read a log; what could not be read comes back in words, the rest whole."""
    gaps: list[str] = []
    intervals: list[Interval] = []
    for numbered in pieces(path, gaps, LINES_AT_ONCE, start):
        histograms = [(number, line) for number, line in numbered if not line.startswith(NOT_A_HISTOGRAM)]
        intervals += _intervals(histograms, path.name, gaps)
    intervals.sort(key=lambda interval: interval.second)
    return LatencyLog(intervals=tuple(intervals)), tuple(gaps)


def _intervals(numbered: list[tuple[int, str]], name: str, gaps: list[str]) -> list[Interval]:
    read: dict[int, Interval] = {}
    for number, line in numbered:
        try:
            read[number] = _interval(line)
        except ValueError as damage:
            gaps.append(f"{name}: line {number} cannot be read: {damage}")
    if has_larger_counts([interval.counts for interval in read.values()]):
        impossible = [number for number, interval in read.items() if has_larger_counts([interval.counts])]
        gaps += [f"{name}: line {number} cannot be read: impossible counts" for number in impossible]
        read = {number: interval for number, interval in read.items() if number not in impossible}
    return list(read.values())


def _interval(line: str) -> Interval:
    fields = line.rstrip("\n").rsplit(",", 4)
    if len(fields) != 5 or not fields[0].startswith("Tag="):
        raise HistogramUnreadable("it is not Tag=NAME,start,length,max,histogram")
    tag, second = fields[0].removeprefix("Tag="), int(float(fields[1]))
    return Interval(tag=tag, second=second, counts=plain_counts(fields[4], digits=DIGITS))
