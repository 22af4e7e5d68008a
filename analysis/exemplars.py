"""The slowest requests of a run, one by one (`exemplars.jsonl`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from analysis.json_lines import read_json_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One request: when it was due, sent and done, how it ended, and its trace ("" when it carried none)."""

    request: str
    second: int
    due_unix_us: int
    sent_unix_us: int | None  # None: it never reached a socket
    done_unix_us: int
    outcome: str  # "ok", or the kind of its failure
    trace_id: str
    sampled: bool

    @property
    def took_us(self) -> int:
        """From the instant it was due to its end."""
        return self.done_unix_us - self.due_unix_us


def read_exemplars(folder: Path) -> tuple[Exemplar, ...]:
    """All that a run kept; records of older golives have none."""
    path = folder / "exemplars.jsonl"
    if not path.exists():
        return ()
    lines, _ = read_json_lines(path)
    return tuple(_read(lines))


def slowest(found: Iterable[Exemplar], *, of_each: int, seconds: range) -> tuple[Exemplar, ...]:
    """Of each kind of request the slowest answered and the slowest failed ones that were due in these seconds."""

    def kind(one: Exemplar) -> tuple[str, bool]:
        return one.request, one.outcome != "ok"

    # A delta that was written twice tells twice of the same.
    inside = sorted({one for one in found if one.second in seconds}, key=lambda one: (kind(one), -one.took_us))
    return tuple(one for _, group in groupby(inside, kind) for one in tuple(group)[:of_each])


def _read(lines: Iterable[Mapping[str, Any]]) -> Iterator[Exemplar]:
    for line in lines:
        try:
            yield Exemplar(
                request=str(line["request"]),
                second=int(line["second"]),
                due_unix_us=int(line["due_unix_us"]),
                sent_unix_us=None if line["sent_unix_us"] is None else int(line["sent_unix_us"]),
                done_unix_us=int(line["done_unix_us"]),
                outcome=str(line["outcome"]),
                trace_id=str(line["trace_id"]),
                sampled=bool(line["sampled"]),
            )
        except (KeyError, TypeError, ValueError):
            continue  # illustrations: one that cannot be read proves nothing and refutes nothing
