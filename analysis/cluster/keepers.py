"""What is kept of the objects that a watch sees: a line for each state that says something new. Bounded memory."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from analysis.cluster.journal import Journal
from analysis.cluster.objects import (
    Line,
    deployment_line,
    event_line,
    hash_of,
    hpa_line,
    node_line,
    pod_line,
    uid_of,
)  # fmt: skip
from analysis.cluster.ports import Kind, Object

MOST_REMEMBERED = 20_000  # objects; of more, the one seen longest ago may be written down twice
WHOLE_EVERY_LOOKS = 30
NAMES = ("namespace", "name")
NOT_THERE = object()
FORMER_EVENTS_S = 60.0  # an event from so long before the watch still belongs to the run's beginning


@dataclass(slots=True, kw_only=True)
class Changes:
    """Writes an object down when its line differs from its last one, and once more when it is gone."""

    journal: Journal
    name: str
    line: Callable[[Object], Line]
    wanted: Callable[[Line], bool] = lambda _line: True
    _last: OrderedDict[str, tuple[str, Line]] = field(default_factory=OrderedDict)

    def keep(self, thing: Object) -> None:
        """Write it down if it says something new."""
        uid, line = uid_of(thing), self.line(thing)
        said = hash_of(line)
        known = self._last.get(uid)
        if not self.wanted(line) or (known and known[0] == said):
            return
        self.journal.write(self.name, line)
        self._last[uid] = (said, {name: line[name] for name in ("uid", "namespace", "name") if name in line})
        self._last.move_to_end(uid)
        if len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)

    def gone(self, uid: str) -> None:
        """Write down that it is no more."""
        known = self._last.pop(uid, None)
        if known and self.name != "events":
            self.journal.write(self.name, {**known[1], "gone": True})


@dataclass(slots=True, kw_only=True)
class EveryLook:
    """Writes an object down each time it is looked at; only what differs from the last time, and now and then all."""

    journal: Journal
    name: str
    line: Callable[[Object], Line]
    _last: dict[str, Line] = field(default_factory=dict)
    _looks: Counter[str] = field(default_factory=Counter)

    def keep(self, thing: Object) -> None:
        """Write it down."""
        line = self.line(thing)
        place = f"{line['namespace']}/{line['name']}"
        before = {} if self._looks[place] % WHOLE_EVERY_LOOKS == 0 else self._last[place]
        self._looks[place] += 1
        self._last[place] = line
        news = {part: value for part, value in line.items() if part in NAMES or before.get(part, NOT_THERE) != value}
        self.journal.write(self.name, news)

    def gone(self, uid: str) -> None:
        """Nothing to do: no further line says it."""


def keeper_of(
    kind: Kind, journal: Journal, *, about: Callable[[Line], bool] = lambda _line: True
) -> Changes | EveryLook:
    """The keeper of one kind of object. about: which events are of interest."""
    match kind:
        case Kind.PODS:
            return Changes(journal=journal, name="pods", line=pod_line)
        case Kind.DEPLOYMENTS:
            return Changes(journal=journal, name="deployments", line=deployment_line)
        case Kind.NODES:
            return Changes(journal=journal, name="nodes", line=node_line)
        case Kind.HPAS:
            return EveryLook(journal=journal, name="hpas", line=hpa_line)
        case Kind.EVENTS:
            since_unix_s = journal.now_unix_s() - FORMER_EVENTS_S
            return Changes(
                journal=journal, name="events", line=event_line,
                wanted=lambda line: (line["event_unix_s"] or since_unix_s) >= since_unix_s and about(line),
            )  # fmt: skip
