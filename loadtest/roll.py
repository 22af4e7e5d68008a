"""Who takes part in a run: one worker a shard; who came too late, and which index was started twice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which pod of an Indexed Job a worker is. A pod's UID is never used again, an index may be."""

    index: int
    pod: str
    pod_uid: str
    node: str

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Identity | None:
        """What a worker says of itself; None for one that is no pod."""
        if not content:
            return None
        return cls(
            index=int(content["index"]), pod=str(content["pod"]), pod_uid=str(content["pod_uid"]),
            node=str(content["node"]),
        )  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Worker:
    """What the master knows of one worker that has a shard."""

    shard: int
    identity: Identity | None = None
    clock_offset_s: float = 0.0
    round_trip_s: float = math.inf
    armed: bool = False
    problem: str = ""
    heard_unix_s: float = 0.0
    lost: bool = False
    drained: bool = False
    halted_because: str = ""

    def disarm(self) -> None:
        """Forget how the last load went for it, before the next one."""
        self.armed, self.problem, self.drained, self.halted_because = False, "", False, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """A worker that gets no shard: its index is out of range, taken, or the load has been dealt."""

    identity: Identity | None
    kept: Identity | None = None  # who has the shard already, when another pod has the same index


@dataclass(slots=True, kw_only=True)
class Roll:
    """Deals the shards. On one machine in the order workers come in; on a cluster shard = completion index."""

    expected: int
    by_index: bool = False
    seated: dict[str, Worker] = field(default_factory=dict)
    _unknown: dict[str, None] = field(default_factory=dict)  # came, and have not said which index they are
    _turned_away: set[str] = field(default_factory=set)

    def invite(self, worker_ids: Iterable[str]) -> None:
        """Take note of workers that are there."""
        for worker_id in worker_ids:
            if worker_id in self.seated or worker_id in self._turned_away:
                continue
            if self.by_index:
                self._unknown.setdefault(worker_id)
            elif not self.is_full:
                self.seated[worker_id] = Worker(shard=len(self.seated))

    def take_seat(self, worker_id: str, identity: Identity | None) -> Worker | TurnedAway:
        """Give a worker that has said who it is the shard of its index."""
        self._unknown.pop(worker_id, None)
        taken = {worker.shard: worker for worker in self.seated.values()}
        if identity is None or not 0 <= identity.index < self.expected or identity.index in taken:
            self._turned_away.add(worker_id)
            holder = taken.get(identity.index) if identity else None
            return TurnedAway(identity=identity, kept=holder.identity if holder else None)
        worker = Worker(shard=identity.index, identity=identity)
        self.seated[worker_id] = worker
        return worker

    @property
    def unknown(self) -> tuple[str, ...]:
        """Those who are there and have not said who they are."""
        return tuple(self._unknown)

    def is_unknown(self, worker_id: str) -> bool:
        """Whether this worker is there and has not said who it is."""
        return worker_id in self._unknown

    @property
    def is_full(self) -> bool:
        """Whether every shard has its worker."""
        return len(self.seated) >= self.expected

    @property
    def to_ask(self) -> tuple[str, ...]:
        """Everybody who is there and was not turned away."""
        return (*self.seated, *self._unknown)

    @property
    def missing(self) -> list[int]:
        """The shards nobody came for."""
        return sorted(set(range(self.expected)) - {worker.shard for worker in self.seated.values()})
