"""The run's counts per second and request (`seconds.jsonl`): every delta once, whatever was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.json_lines import read_json_lines

NUMBERS = ("due", "sent", "ok", "unavailable", "unsent", "sent_bytes", "received_bytes")
ORIGIN = ("second", "request", "worker", "seq")


def read_counts(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The counts, the failures by kind, and in words what could not be read or was there twice."""
    lines, gaps = read_json_lines(path)
    whole = [line for line in lines if _is_whole(line)]
    once = list({tuple(line[name] for name in ORIGIN): line for line in reversed(whole)}.values())[::-1]
    return _counts(once), _failures(once), gaps + _oddities(path.name, lines, whole, once)


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
    rows = [[line[name] for name in (*ORIGIN, *NUMBERS)] + [sum(line["failed"].values())] for line in lines]
    table = pd.DataFrame(rows, columns=[*ORIGIN, *NUMBERS, "failed"])
    return table.astype({name: "int64" for name in table.columns if name != "request"})


def _failures(lines: list[dict[str, Any]]) -> pd.DataFrame:
    rows = [[line["second"], line["request"], kind, count] for line in lines for kind, count in line["failed"].items()]
    table = pd.DataFrame(rows, columns=["second", "request", "kind", "count"])
    return table.astype({"second": "int64", "count": "int64"})


def _oddities(
    name: str, lines: list[dict[str, Any]], whole: list[dict[str, Any]], once: list[dict[str, Any]]
) -> tuple[str, ...]:
    found = []
    if len(whole) < len(lines):
        found.append(f"{name}: {len(lines) - len(whole)} lines lack a field and were left out")
    if len(once) < len(whole):
        found.append(f"{name}: {len(whole) - len(once)} lines repeat a delta already counted; each counts once")
    return tuple(found)
