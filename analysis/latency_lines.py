"""Where each histogram lies in a latency log (`load.hlog`): looked at once for damage, read again when it is asked for.

In memory those of a night, or of forty workers, would be gigabytes; to know where they lie takes 24 bytes each.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.histograms import HistogramUnreadable, has_larger_counts, plain_counts
from analysis.json_lines import pieces

DIGITS = 3  # significant digits of every histogram that golive writes
NOT_A_HISTOGRAM = (b"#", b'"', b"\n")  # how a comment, the column names and an empty line begin
LINES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lines:
    """One entry for each histogram that can be read, in order of time."""

    path: Path
    tags: tuple[str, ...]
    tag: NDArray[np.int32]  # its place in `tags`
    second: NDArray[np.int64]  # unix, of the intended start
    at: NDArray[np.int64]  # the byte where it begins in the file
    length: NDArray[np.int32]  # bytes

    def under(self, tags: frozenset[str]) -> NDArray[np.int64]:
        """Which of them stand under any of these tags."""
        asked = [place for place, tag in enumerate(self.tags) if tag in tags]
        return np.flatnonzero(np.isin(self.tag, asked))

    def counts(self, which: NDArray[np.int64]) -> list[bytes]:
        """The numbers of these, read from the file. Raises HistogramUnreadable when it has been changed meanwhile."""
        if not len(which):
            return []
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as log:
            ends = self.at[which] + self.length[which]
            return [
                plain_counts(log[at:end], digits=DIGITS)
                for at, end in zip(self.at[which].tolist(), ends.tolist(), strict=True)
            ]


def read_lines(path: Path, start: int = 0) -> tuple[Lines, tuple[str, ...]]:
    """Find every histogram of a log; what could not be read comes back in words, the rest whole."""
    gaps: list[str] = []
    tags: dict[str, int] = {}
    found: list[tuple[int, int, int, int]] = []
    for numbered in _placed(path, gaps, start):
        for tag, second, at, length in _readable(numbered, path.name, gaps):
            found.append((tags.setdefault(tag, len(tags)), second, at, length))
    table = np.array(found, dtype=np.int64).reshape(len(found), 4)
    table = table[np.argsort(table[:, 1], kind="stable")]
    lines = Lines(
        path=path,
        tags=tuple(tags),
        tag=table[:, 0].astype(np.int32),
        second=table[:, 1].copy(),
        at=table[:, 2].copy(),
        length=table[:, 3].astype(np.int32),
    )
    return lines, tuple(gaps)


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the file, and the byte where it begins."""

    number: int
    begins: int
    text: bytes


def _placed(path: Path, gaps: list[str], start: int) -> Iterator[list[_Line]]:
    begins = start
    for numbered in pieces(path, gaps, LINES_AT_ONCE, start):
        placed = []
        for number, text in numbered:
            if not text.startswith(NOT_A_HISTOGRAM):
                placed.append(_Line(number, begins, text))
            begins += len(text)
        yield placed


def _readable(lines: list[_Line], name: str, gaps: list[str]) -> list[tuple[str, int, int, int]]:
    """Tag, second, place and length of each histogram that can be read."""
    read: dict[int, tuple[str, int, int, int]] = {}
    counts: dict[int, bytes] = {}
    for line in lines:
        try:
            read[line.number], counts[line.number] = _histogram(line)
        except ValueError as damage:
            gaps.append(f"{name}: line {line.number} cannot be read: {damage}")
    if has_larger_counts(list(counts.values())):
        impossible = [number for number, plain in counts.items() if has_larger_counts([plain])]
        gaps += [f"{name}: line {number} cannot be read: impossible counts" for number in impossible]
        read = {number: line for number, line in read.items() if number not in impossible}
    return list(read.values())


def _histogram(line: _Line) -> tuple[tuple[str, int, int, int], bytes]:
    whole = line.text.rstrip(b"\n")
    fields = whole.rsplit(b",", 4)
    if len(fields) != 5 or not fields[0].startswith(b"Tag="):
        raise HistogramUnreadable("it is not Tag=NAME,start,length,max,histogram")
    tag, second = fields[0].removeprefix(b"Tag=").decode(errors="replace"), int(float(fields[1]))
    encoded = fields[4]
    counts = plain_counts(encoded, digits=DIGITS)
    return (tag, second, line.begins + len(whole) - len(encoded), len(encoded)), counts
