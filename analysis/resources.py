"""What must not run out, over the run: memory, file handles and connections of the platform's processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from analysis.evidence_files import Pulled, read_answer
from analysis.own_resources import own_handles
from analysis.ports import Series
from analysis.results import RunRecord
from slo.evidence import NotSeen
from slo.objective import Resource
from slo.resource import ResourceSeries

STARTED = "process_started"
GROUPS = ("container", "service", "job", "namespace")
# Where nobody tells when a process began, memory that halves from one look to the next is a new process.
ANEW_BELOW = 0.5
ANEW = ", started anew"

Floats = NDArray[np.float64]
Seen = tuple[ResourceSeries, ...] | NotSeen


def resources_of(record: RunRecord) -> Mapping[Resource, Seen]:
    """By resource: a series for each life of each process, or why nothing is known of it."""
    return {of: _seen(record, of) for of in get_args(Resource)}


def _seen(record: RunRecord, of: Resource) -> Seen:
    if of == "connections" and not record.plan.target.queries.connections.strip():
        return own_handles(record, master=False) or NotSeen(
            "neither the platform's metrics nor golive's record tell of any"
        )
    answer = read_answer(record.folder / "evidence", of)
    if isinstance(answer, NotSeen):
        return answer
    if not answer.series:
        return NotSeen(f"{answer.asked.server} knows no series for {answer.asked.query}")
    limits, started = _told(record, f"{of}_limit"), _told(record, STARTED)
    seen = tuple(life for one in answer.series for life in _lives(one, answer, limits, started, of))
    if of != "file_handles":
        return seen
    connections = _told(record, "connections")
    return tuple(besides(life, connections) for life in seen)


def besides(handles: ResourceSeries, connections: tuple[Series, ...]) -> ResourceSeries:
    """A process' handles that are no connections, where both are told of it: connections are judged by themselves.

    They come and go by hundreds with the load, and a slow leak of files would drown in that.
    """
    process = handles.name.partition(ANEW)[0]
    its = next((one for one in connections if called(one.labels) == process), None)
    if its is None or not len(its.values):
        return handles
    open_then = np.interp(handles.at_unix_s, its.at_unix_s, its.values)
    rest = handles.value - open_then
    if np.any(rest < 0):
        return handles  # they are counted otherwise than as this process' handles
    name = f"{handles.name}, besides connections"
    return replace(handles, name=name, value=rest, taken=float(np.median(open_then[-len(rest) // 4 :])))


def _told(record: RunRecord, name: str) -> tuple[Series, ...]:
    answer = read_answer(record.folder / "evidence", name)
    return () if isinstance(answer, NotSeen) else answer.series


def _lives(
    one: Series, answer: Pulled, limits: tuple[Series, ...], started: tuple[Series, ...], of: Resource
) -> Iterator[ResourceSeries]:
    """A process that was started anew begins anew: its slope says nothing about the one before."""
    known = np.isfinite(one.values)
    at_s, values = one.at_unix_s[known], one.values[known]
    anew = _anew(at_s, values, _belonging(one, started), of)
    parts = zip(np.split(at_s, anew), np.split(values, anew), strict=True)
    for number, (at, value) in enumerate((at, value) for at, value in parts if len(at)):
        yield ResourceSeries(
            name=called(one.labels) + (f"{ANEW} ({number})" if number else ""), source=answer.source,
            at_unix_s=at, value=value, limit=_limit(_belonging(one, limits)), group=_group(one.labels),
        )  # fmt: skip


def _anew(at_s: Floats, values: Floats, starts: Series | None, of: Resource) -> NDArray[np.int64]:
    """Where the samples of another life begin: by the time of the process' start, or by what only a start can do."""
    if starts is not None:
        changes = np.flatnonzero(np.diff(starts.values) != 0) + 1
        return np.searchsorted(at_s, starts.at_unix_s[changes])
    fell = values[1:] < ANEW_BELOW * values[:-1] if of == "memory" else np.zeros(0, dtype=bool)
    return np.flatnonzero(fell) + 1


def _belonging(one: Series, others: tuple[Series, ...]) -> Series | None:
    """What is told of the same process: of the same pod and container, or else of the same instance."""
    return next((other for other in others if _same(one.labels, other.labels)), None)


def _same(labels: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Where both name a pod `instance` does not count: another exporter's is its own. What names neither is of all."""
    names = ("pod", "container") if "pod" in labels and "pod" in other else ("instance",)
    return all(labels[name] == other[name] for name in names if name in labels and name in other)


def _limit(limit: Series | None) -> float | None:
    """The last that was told; 0 (cAdvisor's) and infinity are none."""
    if limit is None or not len(limit.values) or not 0 < limit.values[-1] < np.inf:
        return None
    return float(limit.values[-1])


def called(labels: Mapping[str, str]) -> str:
    """A process' name for people: its pod, with the container where that is told, or its job and instance."""
    pod, container = labels.get("pod"), labels.get("container")
    if pod:
        return f"{pod} ({container})" if container else pod
    return " ".join(labels[name] for name in ("job", "instance") if labels.get(name)) or container or "the platform"


def _group(labels: Mapping[str, str]) -> str:
    return next((labels[name] for name in GROUPS if labels.get(name)), "")
