"""Files of one JSON object a line, as a run leaves them: perhaps torn at the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_json_lines(path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Read every whole line that is a JSON object; what could not be read comes back in words."""
    if not path.is_file():
        return [], (f"{path.name} is missing",)
    *lines, rest = path.read_text(encoding="utf-8", errors="replace").split("\n")
    torn = (f"{path.name}: the last line is torn and was left out",) if rest else ()
    try:
        # One parse of the whole file costs half of one parse a line.
        together = json.loads(f"[{','.join(lines)}]")
    except ValueError:
        together = []
    if len(together) == len(lines) and all(isinstance(entry, dict) for entry in together):
        return together, torn
    return _line_by_line(path.name, lines, torn)


def _line_by_line(name: str, lines: list[str], torn: tuple[str, ...]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    entries: list[dict[str, Any]] = []
    gaps: list[str] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            entries.append(entry)
        else:
            gaps.append(f"{name}: line {number} cannot be read and was left out")
    return entries, (*gaps, *torn)
