"""A table as the report shows it, in whatever form: a caption, columns, rows of text, a note."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; numbers stand right, and `explain` is shown on demand."""

    title: str
    is_number: bool = False
    explain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under columns; without rows only `empty` is said."""

    name: str  # its anchor: "requests"
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    note: str = ""
    empty: str = "Nothing to show."


def text(title: str, explain: str = "") -> Column:
    """A column of words."""
    return Column(title=title, explain=explain)


def number(title: str, explain: str = "") -> Column:
    """A column of figures."""
    return Column(title=title, is_number=True, explain=explain)
