"""The run's latency log (`load.hlog`): exact histograms per second and tag, read once, cut as needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.histograms import HistogramUnreadable, Slots, decode_counts, highest_values, plain_counts
from slo.evidence import LatencyTable

DIGITS = 3  # significant digits of every histogram that golive writes
BATCH_BYTES = 2_000_000  # decoded together: large enough for numpy, small enough for the cache
FAILED = "!failed"  # a request's tag with this at its end holds the latency of its failures
OWN_TAGS = "golive."  # what begins so is about golive, not about one request
LAG = "golive.lag"
SERVICE = "golive.service"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LatencyLog:
    """Every histogram of a run. Entry i says: so many took so long (a slot), in one second, under one tag.

    Several entries may speak of one second, tag and slot (several workers, a late answer): they add up.
    """

    tags: tuple[str, ...]
    second: NDArray[np.int64]  # of the intended start, unix
    tag: NDArray[np.int16]  # index into tags
    slot: NDArray[np.int32]
    count: NDArray[np.int64]
    digits: int = DIGITS

    def table(self, tags: Iterable[str], seconds: NDArray[np.int64] | range) -> LatencyTable:
        """The histograms under any of `tags`, a row for each of `seconds` (consecutive, unix), in µs."""
        first, rows = (int(seconds[0]), len(seconds)) if len(seconds) else (0, 0)
        chosen = self._under(tags) & (self.second >= first) & (self.second < first + rows)
        slot, count = self.slot[chosen], self.count[chosen]
        used, column = np.unique(slot, return_inverse=True)
        place = (self.second[chosen] - first) * len(used) + column
        # bincount adds in floating point: exact below 2^53, and no run has that many requests.
        counts = np.bincount(place, weights=count, minlength=rows * len(used)).astype(np.int64)
        return LatencyTable(values_us=highest_values(used, digits=self.digits), counts=counts.reshape(rows, len(used)))

    def totals(self) -> dict[str, int]:
        """How many requests each tag holds."""
        counts = np.bincount(self.tag, weights=self.count, minlength=len(self.tags)).astype(np.int64)
        return {tag: int(count) for tag, count in zip(self.tags, counts, strict=True)}

    def _under(self, tags: Iterable[str]) -> NDArray[np.bool_]:
        wanted = set(tags)
        return np.isin(self.tag, [index for index, tag in enumerate(self.tags) if tag in wanted])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    line: int
    tag: str
    second: int
    counts: bytes


def read_latency_log(path: Path) -> tuple[LatencyLog, tuple[str, ...]]:
    """Read a log; what could not be read comes back in words, the rest whole."""
    intervals: list[_Interval] = []
    gaps: list[str] = []
    for number, line in enumerate(_lines(path, gaps), start=1):
        if line[:1] in ("#", '"', ""):  # comments and the column names
            continue
        try:
            intervals.append(_interval(number, line))
        except ValueError as damage:
            gaps.append(f"{path.name}: line {number} cannot be read: {damage}")
    return _log(intervals, path.name, gaps), tuple(gaps)


def _lines(path: Path, gaps: list[str]) -> list[str]:
    if not path.is_file():
        gaps.append(f"{path.name} is missing")
        return []
    *lines, rest = path.read_text(encoding="utf-8", errors="replace").split("\n")
    if rest:
        gaps.append(f"{path.name}: the last line is torn and was left out")
    return lines


def _interval(number: int, line: str) -> _Interval:
    fields = line.rsplit(",", 4)
    if len(fields) != 5 or not fields[0].startswith("Tag="):
        raise HistogramUnreadable("it is not Tag=NAME,start,length,max,histogram")
    return _Interval(
        line=number,
        tag=fields[0].removeprefix("Tag="),
        second=int(float(fields[1])),
        counts=plain_counts(fields[4], digits=DIGITS),
    )


def _log(intervals: list[_Interval], name: str, gaps: list[str]) -> LatencyLog:
    tags = tuple(sorted({interval.tag for interval in intervals}))
    number_of = {tag: number for number, tag in enumerate(tags)}
    decoded = _decoded(intervals, name, gaps)
    return LatencyLog(
        tags=tags,
        second=np.array([interval.second for interval in intervals], dtype=np.int64)[decoded.row],
        tag=np.array([number_of[interval.tag] for interval in intervals], dtype=np.int16)[decoded.row],
        slot=decoded.slot,
        count=decoded.count,
    )


def _decoded(intervals: list[_Interval], name: str, gaps: list[str]) -> Slots:
    parts = [decode_counts([])]
    first, size = 0, 0
    for number, interval in enumerate(intervals):
        size += len(interval.counts)
        if size >= BATCH_BYTES or number == len(intervals) - 1:
            for row, slots in _batch(intervals, range(first, number + 1), name, gaps):
                parts.append(Slots(slots.row + np.int32(row), slots.slot, slots.count))
            first, size = number + 1, 0
    return Slots(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.slot for part in parts]),
        np.concatenate([part.count for part in parts]),
    )


def _batch(intervals: list[_Interval], rows: range, name: str, gaps: list[str]) -> list[tuple[int, Slots]]:
    """Decode together; when one of them is damaged, each alone, so that only that one is lost."""
    try:
        return [(rows[0], decode_counts([intervals[row].counts for row in rows]))]
    except HistogramUnreadable as damage:
        if len(rows) == 1:
            gaps.append(f"{name}: line {intervals[rows[0]].line} cannot be read: {damage}")
            return []
    return [part for row in rows for part in _batch(intervals, range(row, row + 1), name, gaps)]
