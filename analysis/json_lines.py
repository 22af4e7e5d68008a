"""Files of one JSON object a line, as a run leaves them: perhaps torn at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

LINES_AT_ONCE = 10_000  # a night's record is read piece by piece


def read_json_lines(path: Path, start: int = 0) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Read every whole line that is a JSON object; what could not be read comes back in words."""
    gaps: list[str] = []
    return [entry for piece in json_pieces(path, gaps, start) for entry in piece], tuple(gaps)


def json_pieces(path: Path, gaps: list[str], start: int = 0) -> Iterator[list[dict[str, Any]]]:
    """The same in pieces; what could not be read is added to `gaps` on the way."""
    for numbered in pieces(path, gaps, LINES_AT_ONCE, start):
        yield _entries(path.name, numbered, gaps)


def pieces(path: Path, gaps: list[str], lines: int, start: int = 0) -> Iterator[list[tuple[int, bytes]]]:
    """The whole lines of a file with their numbers, so many at a time; a torn last one is left out and named.

    start: the byte to begin at, where a line begins; lines are then numbered from there.
    """
    if not path.is_file():
        gaps.append(f"{path.name} is missing")
        return
    with path.open("rb") as file:
        file.seek(start)
        numbered = enumerate(file, start=1)
        while piece := list(islice(numbered, lines)):
            if not piece[-1][1].endswith(b"\n"):
                gaps.append(f"{path.name}: the last line is torn and was left out")
                piece.pop()
            yield piece


def _entries(name: str, numbered: list[tuple[int, bytes]], gaps: list[str]) -> list[dict[str, Any]]:
    try:
        # One parse of them all costs half of one parse a line.
        together = json.loads(f"[{_text(b','.join(line for _, line in numbered))}]")
    except ValueError:
        together = []
    if len(together) == len(numbered) and all(isinstance(entry, dict) for entry in together):
        return list(together)
    return [entry for number, line in numbered if (entry := _entry(name, number, _text(line), gaps)) is not None]


def _text(octets: bytes) -> str:
    return octets.decode(errors="replace")


def _entry(name: str, number: int, line: str, gaps: list[str]) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if isinstance(entry, dict):
        return entry
    gaps.append(f"{name}: line {number} cannot be read and was left out")
    return None
