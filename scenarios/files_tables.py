"""The files of rows that feed a workload, read: CSV with a header, a JSON list of objects, or an object a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

from scenarios.engine_plan import Table
from scenarios.errors import PlanError
from scenarios.values import Column, Order
from scenarios.workload import Workload

LARGEST_TABLE_BYTES = 50_000_000
LONGEST_LIST = 8
REMEDY = "Name a file in UTF-8 that is there; a relative path starts in the folder of the workload's file."
Rows = Sequence[tuple[str, ...]]


def read_tables(workload: Workload) -> dict[str, Table]:
    """The files that the workload's values draw on, by the name they are called by."""
    columns: dict[str, dict[str, Order]] = {}
    bare: dict[str, set[str]] = {}
    for column in columns_of(workload):
        columns.setdefault(column.file, {})[column.column] = column.order
        if column.bare:
            bare.setdefault(column.file, set()).add(column.column)
    tables = {file: _table(Path(file), needed) for file, needed in columns.items()}
    for file, names in bare.items():
        for name in sorted(names):
            _check_bare(file, tables[file], name)
    return tables


def columns_of(workload: Workload) -> Iterator[Column]:
    """Every column that some request of the workload takes a value from."""
    for request in workload.kinds:
        yield from (value for value in workload.values_of(request) if isinstance(value, Column))


def with_files_moved(value: Any, moved: Callable[[str], str]) -> Any:
    """The same tree of values (a plan, a workload) with every column's file in its new place."""
    if isinstance(value, Column):
        return replace(value, file=moved(value.file))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: with_files_moved(getattr(value, one.name), moved) for one in fields(value)})
    if isinstance(value, dict):
        return {key: with_files_moved(item, moved) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(with_files_moved(item, moved) for item in value)
    return value


def _table(path: Path, needed: Mapping[str, Order]) -> Table:
    text = _text(path)
    if path.suffix.lower() in {".json", ".jsonl", ".ndjson"}:
        columns, rows = tuple(needed), _rows_of_objects(path, _objects(path, text), tuple(needed))
    else:
        columns, rows = _rows_of_csv(path, text)
    lacking = sorted(set(needed) - set(columns))
    if lacking or not rows:
        what = f"has no column {', '.join(lacking)}; it has {_shown(columns)}" if rows else "has no rows"
        raise PlanError(f"{path}: {what}.", remedy="Mend the file or the workload.")
    return Table(columns=columns, rows=tuple(rows), order=next(iter(needed.values())))


def _check_bare(file: str, table: Table, column: str) -> None:
    """What stands in JSON without quotes is read as JSON, not as text."""
    place = table.columns.index(column)
    for number, row in enumerate(table.rows, start=1):
        if not _is_number_or_truth(row[place]):
            raise PlanError(
                f"{file}: row {number}: {column!r} is {row[place][:40]!r}, no number or truth value as JSON has them.",
                remedy=f"Mend the row, or take the column as a text: [{column!r}] instead of .bare({column!r}).",
            )


def _is_number_or_truth(cell: str) -> bool:
    try:
        return isinstance(json.loads(cell, parse_constant=_no_number), int | float)
    except (ValueError, RecursionError):
        return False


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_TABLE_BYTES:
            raise PlanError(f"{path}: larger than {LARGEST_TABLE_BYTES:,} bytes.", remedy="Take a part of it.")
        with path.open(encoding="utf-8-sig", newline="") as file:  # spreadsheets put a mark (BOM) before the first name
            return file.read()
    except (OSError, UnicodeDecodeError) as wrong:
        raise PlanError(f"{path}: {wrong}.", remedy=REMEDY) from wrong


def _rows_of_csv(path: Path, text: str) -> tuple[tuple[str, ...], Rows]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        # Empty lines are no rows, as `csv.DictReader` has it; a row that holds line breaks ends on a later line.
        header, *rows = [(reader.line_num, row) for row in reader if row] or [(0, [])]
    except csv.Error as wrong:
        raise PlanError(
            f"{path}: line {reader.line_num}: {wrong}.", remedy="Name a CSV file with a header row."
        ) from wrong
    columns = tuple(header[1])
    uneven = next((line for line, row in rows if len(row) != len(columns)), 0)
    if uneven:
        raise PlanError(f"{path}: line {uneven} has other columns than the header.", remedy="Mend the file.")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise PlanError(f"{path}: two columns are called {_shown(twice)}.", remedy="Give each a name of its own.")
    return columns, [tuple(row) for _, row in rows]


def _shown(columns: Sequence[str]) -> str:
    """Names as they are: a space or a semicolon in them is what is wrong more often than not."""
    return ", ".join(map(repr, columns[:LONGEST_LIST])) + (", …" if len(columns) > LONGEST_LIST else "")


def _objects(path: Path, text: str) -> list[Any]:
    """The rows of a JSON file: those of its list, or one a line."""
    if path.suffix.lower() == ".json":
        content = _json(path, 1, text)
        return content if isinstance(content, list) else [content]
    lines = enumerate(text.split("\n"), start=1)
    return [_json(path, number, line) for number, line in lines if line.strip()]


def _json(path: Path, line: int, text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as wrong:
        at = line + getattr(wrong, "lineno", 1) - 1
        raise PlanError(
            f"{path}: line {at}: {getattr(wrong, 'msg', wrong)}.", remedy="Write a JSON list of objects, or one a line."
        ) from wrong


def _no_number(name: str) -> Any:
    """Python would read it; JSON has no such number, and no server would read it back."""
    raise ValueError(f"{name} is no JSON")


def _rows_of_objects(path: Path, objects: list[Any], columns: tuple[str, ...]) -> Rows:
    return [
        tuple(_cell(path, number, found, column) for column in columns) for number, found in enumerate(objects, start=1)
    ]


def _cell(path: Path, number: int, found: Any, column: str) -> str:
    """A row's value as text. An absent or nested one is a mistake: what would be sent for it is anybody's guess."""
    if not isinstance(found, dict) or column not in found:
        what = f"has no {column!r}" if isinstance(found, dict) else "is no object"
        raise PlanError(f"{path}: row {number} {what}.", remedy="Give every row all columns that are used.")
    value = found[column]
    if value is None or isinstance(value, dict | list):
        raise PlanError(
            f"{path}: row {number}: {column!r} is {json.dumps(value)[:40]}, not a text, number or truth value.",
            remedy="Mend the row, or take it out.",
        )
    return value if isinstance(value, str) else json.dumps(value)
