"""The run's counts per second and request (`seconds.jsonl`): every delta once, whatever was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.json_lines import json_pieces

NUMBERS = ("due", "sent", "ok", "unavailable", "unsent", "sent_bytes", "received_bytes")
RARE = ("cached", "repeated", "untimed")  # written only where there are any
ORIGIN = ("second", "request", "worker", "seq")
FAILURES = ("second", "request", "kind", "count")


def read_counts(path: Path, start: int = 0) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The counts, the failures by kind, and in words what could not be read or was there twice."""
    gaps: list[str] = []
    counts, failures, lacking, first = [_counts([])], [_failures([], 0)], 0, 0
    for lines in json_pieces(path, gaps, start):
        whole = [line for line in lines if _is_whole(line)]
        lacking += len(lines) - len(whole)
        counts.append(_counts(whole))
        failures.append(_failures(whole, first))
        first += len(whole)
    written = pd.concat(counts, ignore_index=True)
    repeats = written.duplicated(list(ORIGIN))
    failed = pd.concat(failures, ignore_index=True)
    failed = failed[~failed["line"].isin(repeats.index[repeats])]
    gaps += _oddities(path.name, lacking, int(repeats.sum()))
    return written[~repeats].reset_index(drop=True), failed[list(FAILURES)].reset_index(drop=True), tuple(gaps)


def _is_whole(line: dict[str, Any]) -> bool:
    # type() and not isinstance: true is an int in Python, not in a record.
    numbers = all(type(line.get(name)) is int for name in ("second", "worker", "seq", *NUMBERS))
    failed = line.get("failed")
    return (
        numbers
        and isinstance(line.get("request"), str)
        and isinstance(failed, dict)
        and all(type(count) is int for count in failed.values())
    )


def _counts(lines: list[dict[str, Any]]) -> pd.DataFrame:
    rows = [
        [*(line[name] for name in (*ORIGIN, *NUMBERS)), sum(line["failed"].values()), *_where_any(line)]
        for line in lines
    ]
    table = pd.DataFrame(rows, columns=[*ORIGIN, *NUMBERS, "failed", *RARE])
    return table.astype({name: "int64" if name != "request" else "str" for name in table.columns})


def _where_any(line: dict[str, Any]) -> list[int]:
    return [int(line.get(name, 0)) for name in RARE]


def _failures(lines: list[dict[str, Any]], first: int) -> pd.DataFrame:
    rows = [
        [first + place, line["second"], line["request"], kind, count]
        for place, line in enumerate(lines)
        for kind, count in line["failed"].items()
    ]
    table = pd.DataFrame(rows, columns=["line", *FAILURES])
    return table.astype({"line": "int64", "second": "int64", "request": "str", "kind": "str", "count": "int64"})


def _oddities(name: str, lacking: int, repeats: int) -> list[str]:
    found = []
    if lacking:
        found.append(f"{name}: {lacking} lines lack a field and were left out")
    if repeats:
        found.append(f"{name}: {repeats} lines repeat a delta already counted; each counts once")
    return found
