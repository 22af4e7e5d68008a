"""What a watch wrote down (`kubernetes/*.jsonl`), read back: every HPA's readings, every pod's life, events, gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis.cluster.sight import REFUSALS
from analysis.json_lines import json_pieces

Line = Mapping[str, Any]
FOLDER = "kubernetes"
TIME_GRAIN_S = 1.0  # Kubernetes cuts its own instants to whole seconds
WHOLE = {"scales", "spec", "min", "max", "current", "desired", "conditions", "metrics"}
BARE = 3  # at_unix_s, namespace, name
ENDED = ("Succeeded", "Failed")  # phases
OPTIONAL = ("hpas", "pods", "deployments", "events", "nodes", "fingerprint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at one HPA."""

    at_unix_s: float
    told: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class PodLife:
    """One pod from its beginning to its end; an instant is None when it never came, or came before the watch.

    Instants are Kubernetes' own, put back within their second to when we saw them.
    """

    first: Line
    last: Line  # the last whole line of it
    scheduled_unix_s: float | None
    ready_unix_s: float | None  # for the first time
    readiness: tuple[tuple[float, bool], ...]  # each change of it
    gone_unix_s: float | None  # when it had ended, was being deleted, or was no more
    endings: tuple[Line, ...]  # of its containers, each once

    @property
    def uid(self) -> str:
        """What distinguishes it from another of the same name."""
        return str(self.last.get("uid", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.last.get("name", ""))

    @property
    def owner(self) -> str:
        """What it belongs to: "Deployment/core"."""
        return str(self.last.get("owner", ""))

    @property
    def created_unix_s(self) -> float:
        """When it was asked for."""
        return instant(self.first, "created_unix_s") or float(self.first["at_unix_s"])

    @property
    def restarts_seen(self) -> int:
        """How often its containers began again while we watched."""
        return int(self.last.get("restarts") or 0) - int(self.first.get("restarts") or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch in which one kind of object could not be seen."""

    kind: str
    namespace: str
    trouble: str
    start_unix_s: float
    end_unix_s: float
    lost: bool  # what happened in it is not known; otherwise it was told afterwards


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusterRecord:
    """Everything a watch saw."""

    started: Line
    hpas: Mapping[str, tuple[Reading, ...]] = field(default_factory=dict)
    pods: tuple[PodLife, ...] = ()
    deployments: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)  # by name, in order
    events: tuple[Line, ...] = ()
    nodes: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)
    fingerprints: tuple[Line, ...] = ()
    gaps: tuple[Gap, ...] = ()
    refused: tuple[str, ...] = ()  # what may not be read, in words
    puzzles: int = 0
    unreadable: tuple[str, ...] = ()  # pieces of the files, in words

    @property
    def target_namespace(self) -> str:
        """Where the platform is."""
        return str(self.started.get("target_namespace", ""))

    @property
    def look_every_s(self) -> float:
        """How often each HPA was looked at."""
        return float(self.started.get("look_every_s") or 2.0)

    def own_pods(self) -> tuple[PodLife, ...]:
        """golive's own: this run's master and workers."""
        return tuple(pod for pod in self.pods if pod.last.get("run") and pod.last["run"] == self.started.get("run"))

    def platform_pods(self) -> tuple[PodLife, ...]:
        """The target's."""
        return tuple(
            pod for pod in self.pods if not pod.last.get("run") and pod.last.get("namespace") == self.target_namespace
        )


def read_cluster(folder: Path) -> ClusterRecord | None:
    """Read the watch of a run's folder back; None for a run that watched no cluster."""
    place = folder / FOLDER
    if not place.is_dir():
        return None
    files = [(path.name, path.stat()) for path in sorted(place.iterdir())]
    return _read(place, tuple((name, about.st_size, about.st_mtime_ns) for name, about in files))


@lru_cache(maxsize=1)  # evidence, timeline and report each ask for it; a night's watch takes seconds to read
def _read(place: Path, _as_it_is: tuple[tuple[str, int, int], ...]) -> ClusterRecord:
    unreadable: list[str] = []
    watch = list(_lines(place, "watch", unreadable))
    read = {name: list(_lines(place, name, unreadable)) for name in OPTIONAL if (place / f"{name}.jsonl").exists()}
    return ClusterRecord(
        started=next((line for line in watch if line.get("what") == "started"), {}),
        hpas=_readings(read.get("hpas", [])),
        pods=_lives(read.get("pods", [])),
        deployments=_by_name(read.get("deployments", [])),
        events=tuple(read.get("events", [])),
        nodes=_by_name(read.get("nodes", [])),
        fingerprints=tuple(read.get("fingerprint", [])),
        gaps=tuple(_gap(line) for line in watch if line.get("what") == "blind" and line["trouble"] not in REFUSALS),
        refused=tuple(dict.fromkeys(_refusal(line) for line in watch if line.get("what") == "not allowed")),
        puzzles=sum(line.get("what") == "puzzle" for line in watch),
        unreadable=tuple(unreadable),
    )


def instant(line: Line, name: str) -> float | None:
    """An instant of Kubernetes, cut to its second: put back to when we saw it, if that was within the second."""
    cut, seen = line.get(name), line.get("at_unix_s")
    if cut is None or seen is None:
        return None
    return min(max(float(seen), float(cut)), float(cut) + TIME_GRAIN_S)


def _lines(place: Path, name: str, unreadable: list[str]) -> Iterator[Line]:
    gaps: list[str] = []
    for piece in json_pieces(place / f"{name}.jsonl", gaps):
        yield from (line for line in piece if "at_unix_s" in line)
    unreadable += [f"{FOLDER}/{gap}" for gap in gaps]


def _by_name(lines: list[Line]) -> dict[str, tuple[Line, ...]]:
    known: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        known[str(line.get("name", ""))].append(line)
    return {name: tuple(told) for name, told in sorted(known.items())}


def _readings(lines: list[Line]) -> dict[str, tuple[Reading, ...]]:
    """Each look whole: what a line leaves out is as it was. Before the first whole line nothing is known."""
    readings: dict[str, tuple[Reading, ...]] = {}
    for name, told in _by_name(lines).items():
        known: dict[str, Any] = {}
        seen: list[Reading] = []
        for line in told:
            if len(line) > BARE:  # an unchanged look says what the one before it said, and is the same value
                known = {**known, **line}
            if known.keys() >= WHOLE:
                seen.append(Reading(at_unix_s=float(line["at_unix_s"]), told=known))
        readings[name] = tuple(seen)
    return readings


def _lives(lines: list[Line]) -> tuple[PodLife, ...]:
    known: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        known[str(line.get("uid", ""))].append(line)
    return tuple(life for told in known.values() if (life := _life(told)) is not None)


def _life(told: list[Line]) -> PodLife | None:
    whole = [line for line in told if not line.get("gone")]
    if not whole:
        return None
    gone = [float(line["at_unix_s"]) for line in told if line.get("gone")]
    deleted = [at for line in whole if (at := instant(line, "deletion_unix_s")) is not None]
    ended = [float(line["at_unix_s"]) for line in whole if line.get("phase") in ENDED]
    ends = {(end.get("container"), end.get("at_unix_s")): end for line in whole if (end := line.get("ended"))}
    readiness = _readiness(whole)
    return PodLife(
        first=whole[0],
        last=whole[-1],
        scheduled_unix_s=_first_instant(whole, "scheduled_unix_s"),
        ready_unix_s=next((at for at, ready in readiness if ready), None),
        readiness=readiness,
        gone_unix_s=min([*gone, *deleted, *ended], default=None),
        endings=tuple(ends.values()),
    )


def _readiness(whole: list[Line]) -> tuple[tuple[float, bool], ...]:
    changes: list[tuple[float, bool]] = []
    for line in whole:
        ready = bool(line.get("ready"))
        if (changes and changes[-1][1] == ready) or (not changes and not ready):
            continue
        at_unix_s = instant(line, "ready_unix_s") if ready else float(line["at_unix_s"])
        changes.append((at_unix_s or float(line["at_unix_s"]), ready))
    return tuple(changes)


def _first_instant(whole: list[Line], name: str) -> float | None:
    return next((at for line in whole if (at := instant(line, name)) is not None), None)


def _gap(line: Line) -> Gap:
    return Gap(
        kind=str(line.get("kind", "")),
        namespace=str(line.get("namespace", "")),
        trouble=str(line.get("trouble", "")),
        start_unix_s=float(line.get("from_unix_s", line["at_unix_s"])),
        end_unix_s=float(line.get("until_unix_s", line["at_unix_s"])),
        lost=bool(line.get("lost")),
    )


def _refusal(line: Line) -> str:
    where = f" in {line['namespace']}" if line.get("namespace") else ""
    return f"{line.get('kind', '?')}{where}: {line.get('trouble', '?')}"
