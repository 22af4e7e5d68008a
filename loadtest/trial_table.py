"""A trial for a terminal, step by step: status, time, what was captured, and what was wrong; at most 80 columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from loadtest.trial import Tried
from scenarios.failure_kinds import meaning_of

COLUMNS = 80
LONGEST_NAME = 30
UNDER = 4
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # what a server says must not steer the terminal


def trial_lines(tried: tuple[Tried, ...]) -> list[str]:
    """A row a request, what there is to say of it beneath, and last how many were answered as expected."""
    width = min(max([4, *(len(one.request) for one in tried)]), LONGEST_NAME)
    lines = [f"  {'step':<{width}}  {'status':>6}  {'time':>9}"]
    for one in tried:
        lines += _rows(one, width)
    return [*lines, *_wrapped(_summary(tried), indent=0)]


def _rows(one: Tried, width: int) -> Iterator[str]:
    sign = "-" if one.skipped else "x" if one.failure else " "
    if len(one.request) > width:
        yield f"{sign} {_plain(one.request)}"[:COLUMNS]
        sign, name = " ", ""
    else:
        name = _plain(one.request)
    if one.skipped:
        yield f"{sign} {name:<{width}}  not sent: a step before it failed"
        return
    status = str(one.status or "—")
    yield f"{sign} {name:<{width}}  {status:>6}  {_time(one.took_us) if one.status else '—':>9}"
    for told in _told(one):
        yield from _wrapped(told, indent=UNDER)


def _told(one: Tried) -> Iterator[str]:
    if one.failure:
        yield ": ".join(filter(None, (one.failure, one.seen or meaning_of(one.failure))))
    if one.failure == "effect missing":
        yield f"asked {one.attempts} times"
    if one.visible_us is not None:
        tries = "1 attempt" if one.attempts == 1 else f"{one.attempts} attempts"
        yield f"visible {_time(one.visible_us)} after it was accepted ({tries})"
    if one.captured:
        yield "captured " + ", ".join(f"{name} = {value}" for name, value in one.captured)


def _summary(tried: tuple[Tried, ...]) -> str:
    failed, skipped = sum(1 for one in tried if one.failure), sum(1 for one in tried if one.skipped)
    if not failed:
        return f"All {len(tried)} answered as expected."
    behind = f", {skipped} behind them not sent" if skipped else ""
    return f"{failed} of {len(tried)} failed{behind}. Mend the workload, or the target, before any load."


def _time(time_us: int) -> str:
    time_ms = time_us / 1000
    return f"{time_ms:,.1f} ms" if time_ms < 100 else f"{time_ms:,.0f} ms"


def _wrapped(text: str, *, indent: int) -> list[str]:
    return textwrap.wrap(
        _plain(text), COLUMNS, initial_indent=" " * indent, subsequent_indent=" " * indent, break_on_hyphens=False
    )


def _plain(text: str) -> str:
    return CONTROL.sub(" ", text)
