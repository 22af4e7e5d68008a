"""A run in several legs, each with a rate line of its own: ordered one by one in `legs.jsonl` while the run goes on.

`conduct` writes the orders, the master reads them. A leg is armed on the same workers as an ordinary run is, so what is
promised of a run holds of a leg: all that is due in it is known before it starts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.record import write_json
from loadtest.tail import Tail
from scenarios.engine_plan import own_seed, rate_line
from scenarios.profile import Phase, Profile

LEGS_FILE = "legs.jsonl"
DUE_FILE = "due.json"
DueCounts = Callable[[str], list[list[int]]]  # an engine plan → requests due in each second, by kind


@dataclass(frozen=True, slots=True, kw_only=True)
class LegOrder:
    """What one leg is to be. level: which level of the search it belongs to; 0 for none."""

    number: int
    purpose: str  # canary, rest, level, proof
    level: int
    rate_rps: float  # to prove; what is offered stands in the phases
    phases: tuple[Phase, ...]

    @property
    def profile(self) -> Profile:
        """Its rate line."""
        return Profile(phases=self.phases)

    def to_json(self) -> dict[str, Any]:
        """As a line of the file holds it."""
        return {"leg": self.number, **{key: value for key, value in asdict(self).items() if key != "number"}}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> LegOrder:
        """Back again."""
        return cls(
            number=int(line["leg"]), purpose=str(line["purpose"]), level=int(line["level"]),
            rate_rps=float(line["rate_rps"]), phases=tuple(Phase(**phase) for phase in line["phases"]),
        )  # fmt: skip


class LegOrders:
    """Writes orders into a run's folder: the next leg, the end of one before its time, the end of all."""

    def __init__(self, folder: Path) -> None:
        """Nothing is written yet."""
        self._path = folder / LEGS_FILE

    def leg(self, order: LegOrder) -> None:
        """Let this leg be driven next."""
        self._write(order.to_json())

    def end(self, number: int, because: str) -> None:
        """Let a leg end now."""
        self._write({"end": number, "because": because})

    def over(self, because: str) -> None:
        """Let no more legs come."""
        self._write({"over": because})

    def _write(self, line: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A leg ready to be armed."""

    order: LegOrder
    engine_plan: str
    due: list[list[int]]


@dataclass(slots=True)
class LegBook:
    """The master's side of the orders: reads them, makes engine plans of them, keeps the account of what was due."""

    folder: Path
    engine_plan: str  # of the run, with its secrets: all but the rate line is the legs' too
    due_counts: DueCounts
    _tail: Tail = field(init=False)
    _waiting: list[LegOrder] = field(default_factory=list)
    _ends: dict[int, str] = field(default_factory=dict)
    _over: str = ""
    _t0_unix_s: float = 0.0
    _rows: list[list[int]] = field(default_factory=list)  # due in each second after the run's start

    def __post_init__(self) -> None:
        """Start at the first order."""
        self._tail = Tail(self.folder / LEGS_FILE)

    def next(self) -> LegOrder | None:
        """The next leg that was ordered; None while there is none."""
        self._read()
        return self._waiting.pop(0) if self._waiting else None

    def over(self) -> str:
        """Why no more legs come; "" while some may."""
        self._read()
        return self._over if not self._waiting else ""

    def ends(self, number: int) -> str:
        """Why this leg is to end now; "" while it is not."""
        self._read()
        return self._ends.get(number, "")

    def prepare(self, order: LegOrder) -> Leg:
        """The leg with its engine plan.

        Each leg has a seed of its own, and its sequences and the rows of its shared tables go on behind those of the
        last ones: no value comes twice.
        """
        plan = json.loads(self.engine_plan)
        begun = sum(map(sum, self._rows))
        plan["rate_line"] = rate_line(order.phases)
        plan["seed"] = own_seed(plan["seed"], f"leg {order.number}")
        plan["requests"] = _shifted(plan["requests"], begun)
        plan["tables"] = [_turned(table, begun) for table in plan["tables"]]
        text = json.dumps(plan)
        return Leg(order=order, engine_plan=text, due=self.due_counts(text))

    def began(self, leg: Leg, t0_unix_s: float) -> None:
        """Put what is due in a leg on the run's account: `due.json`."""
        self._t0_unix_s = self._t0_unix_s or t0_unix_s
        first = round(t0_unix_s - self._t0_unix_s)
        none = [0] * (len(leg.due[0]) if leg.due else 0)
        self._rows += [none] * (first - len(self._rows))
        self._rows += leg.due
        self._write_due()

    def ended(self, at_unix_s: float) -> None:
        """Take what was due after a leg's end off the account again."""
        del self._rows[max(math.ceil(at_unix_s - self._t0_unix_s), 0) :]
        self._write_due()

    def _write_due(self) -> None:
        write_json(self.folder / DUE_FILE, {"format": 1, "seconds": self._rows})

    def _read(self) -> None:
        for line in map(json.loads, self._tail.lines()):
            if "leg" in line:
                self._waiting.append(LegOrder.from_json(line))
            elif "end" in line:
                self._ends[int(line["end"])] = str(line["because"])
            else:
                self._over = str(line["over"])


def _turned(table: dict[str, Any], by: int) -> dict[str, Any]:
    """A shared table from a row on that nobody took yet: no more rows were taken than requests were due."""
    if table.get("order") != "shared":
        return table
    rows = table["rows"]
    return {**table, "rows": rows[by % len(rows) :] + rows[: by % len(rows)]}


def _shifted(tree: Any, by: int) -> Any:
    """The requests with every sequence so much further on."""
    if isinstance(tree, dict):
        if tree.keys() == {"sequence"}:
            return {"sequence": tree["sequence"] + by}
        return {key: _shifted(value, by) for key, value in tree.items()}
    return [_shifted(value, by) for value in tree] if isinstance(tree, list) else tree
