"""The run's latency log (`load.hlog`): exact histograms per second and tag, decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.histograms import Slots, decode_counts, highest_values
from analysis.latency_lines import DIGITS, Lines, read_lines
from slo.evidence import Counts, LatencyTable

HISTOGRAMS_AT_ONCE = 1_000  # decoded together: enough for numpy, some 50 MB
FAILED = "!failed"  # a request's tag with this at its end holds the latency of its failures
VISIBLE = "!visible"  # a poll's tag with this holds how long what was accepted took to be seen
MISSING = "!missing"  # and this how long was waited for what never came
OWN_TAGS = "golive."  # what begins so is about golive, not about one request
LAG = "golive.lag"
USUAL_SLOTS, MOST_CELLS = 6_000, 48_000_000  # of one table: 2 h 13 min at full resolution, 200 MB
SERVICE = "golive.service"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatencyLog:
    """Every histogram of a run. Several lines of one second and tag (workers, late answers) add up."""

    lines: Lines
    _decoded: dict[frozenset[str], _Sheet] = field(default_factory=dict, repr=False)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in it, in order."""
        return tuple(sorted(self.lines.tags))

    @property
    def seconds(self) -> range:
        """From the first second (unix) with a histogram to the last."""
        second = self.lines.second
        return range(int(second[0]), int(second[-1]) + 1) if len(second) else range(0)

    def table(self, tags: Iterable[str], seconds: range | Counts) -> LatencyTable:
        """The histograms under any of `tags`, added up; a row for each of `seconds` (consecutive, unix), in µs.

        Exact to HDR's slots (0.1 %) for a log of up to two hours; for each doubling of that, two neighbouring slots are
        taken together and stand at the higher one's value: coarser, never understated.
        """
        return self._sheet(frozenset(tags)).table(seconds)

    def spread(self, tags: Iterable[str], seconds: range) -> LatencyTable:
        """The same in one row for all of `seconds` together; nothing of it is kept, so ask once."""
        asked = frozenset(tags)
        if asked in self._decoded:
            table = self.table(asked, seconds)
            return LatencyTable(values_us=table.values_us, counts=table.counts.sum(axis=0, keepdims=True))
        counts = np.zeros(0, np.int64)
        for _, slots in self._decoded_parts(asked, seconds):
            part = np.bincount(slots.slot, weights=slots.count, minlength=len(counts)).astype(np.int64)
            part[: len(counts)] += counts
            counts = part
        used = np.flatnonzero(counts)
        return LatencyTable(values_us=highest_values(used, digits=DIGITS), counts=counts[None, used])

    def total(self, tags: Iterable[str]) -> int:
        """How many requests there are under any of `tags`, over the whole log."""
        return self.spread(tags, self.seconds).total

    def _decoded_parts(self, tags: frozenset[str], seconds: range) -> Iterator[tuple[NDArray[np.int64], Slots]]:
        """The histograms of these, in order of time, some at a time: the second of each, and what is in it."""
        which = self.lines.under(tags)
        first, end = np.searchsorted(self.lines.second[which], [seconds.start, seconds.stop])
        for start in range(first, end, HISTOGRAMS_AT_ONCE):
            these = which[start : min(start + HISTOGRAMS_AT_ONCE, end)]
            yield self.lines.second[these], decode_counts(self.lines.counts(these))

    def _sheet(self, tags: frozenset[str]) -> _Sheet:
        """All seconds of these tags; kept, for what judges and what draws ask for the same."""
        if tags not in self._decoded:
            self._decoded[tags] = self._new_sheet(tags)
        return self._decoded[tags]

    def _new_sheet(self, tags: frozenset[str]) -> _Sheet:
        of_these = self.lines.second[self.lines.under(tags)]
        if not len(of_these):
            return _Sheet(first_second=0, slots=np.empty(0, np.int64), counts=np.empty((0, 0), np.int32))
        seconds = range(int(of_these[0]), int(of_these[-1]) + 1)
        together = slots_together(len(seconds))
        parts = [_added(second, slots, together) for second, slots in self._decoded_parts(tags, seconds)]
        columns = np.unique(np.concatenate([part.columns for part in parts]))
        counts = np.zeros((len(seconds), len(columns)), dtype=np.int32)
        for part in parts:
            start = part.first_second - seconds.start
            # Added, since a second's histograms may lie in two parts.
            counts[start : start + len(part.counts), np.searchsorted(columns, part.columns)] += part.counts
        return _Sheet(first_second=seconds.start, slots=(columns + 1) * together - 1, counts=counts)


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


def slots_together(seconds: int) -> int:
    """How many neighbouring slots a table of so many seconds takes together: a power of two."""
    together = 1
    while seconds * USUAL_SLOTS // together > MOST_CELLS:
        together *= 2
    return together


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A part of a sheet: a row for each second from its first, a column for each that is used."""

    first_second: int
    columns: NDArray[np.int64]
    counts: NDArray[np.int32]


def _added(second: NDArray[np.int64], slots: Slots, together: int) -> _Part:
    """Histograms, of one second each, added up by second; a column is a slot, or so many slots together."""
    first = int(second[0])
    rows = int(second[-1]) + 1 - first
    column = slots.slot // together if together > 1 else slots.slot
    columns = int(column.max()) + 1 if len(column) else 0
    place = (second - first)[slots.row] * columns + column
    # bincount adds in floating point: exact below 2^53, and no second has that many requests.
    counts = np.bincount(place, weights=slots.count, minlength=rows * columns).reshape(rows, columns)
    used = np.flatnonzero(counts.any(axis=0))
    return _Part(first, used, counts[:, used].astype(np.int32))


def merged(one: LatencyTable, other: LatencyTable) -> LatencyTable:
    """Two tables of the same seconds, added up."""
    values_us = np.union1d(one.values_us, other.values_us)
    counts = np.zeros((len(one.counts), len(values_us)), dtype=np.int64)
    for table in (one, other):
        counts[:, np.searchsorted(values_us, table.values_us)] += table.counts
    return LatencyTable(values_us=values_us, counts=counts)


def read_latency_log(path: Path, start: int = 0) -> tuple[LatencyLog, tuple[str, ...]]:
    """Read a log; what could not be read comes back in words, the rest whole."""
    lines, gaps = read_lines(path, start)
    return LatencyLog(lines=lines), gaps
