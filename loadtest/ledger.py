"""Exactly once, both ends: the worker's outbox of unacknowledged deltas and the master's ledger of accepted ones."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One drained piece of a worker's counts. `seq` starts at 1 and has no holes."""

    seq: int
    body: str  # engine/DELTA.md, or "" when nothing was counted
    vitals: dict[str, float]
    final: bool = False


@dataclass(slots=True)
class Outbox:
    """What a worker has drained and the master has not acknowledged; sent again until it has."""

    _pending: list[Delta] = field(default_factory=list)
    _last_seq: int = 0

    def put(self, *, body: str, vitals: dict[str, float], final: bool = False) -> Delta:
        """Number a drained delta and keep it until it is acknowledged."""
        self._last_seq += 1
        delta = Delta(seq=self._last_seq, body=body, vitals=vitals, final=final)
        self._pending.append(delta)
        return delta

    def acknowledge(self, up_to_seq: int) -> None:
        """Forget everything the master has written down."""
        self._pending = [delta for delta in self._pending if delta.seq > up_to_seq]

    @property
    def pending(self) -> tuple[Delta, ...]:
        """The unacknowledged deltas, oldest first."""
        return tuple(self._pending)

    @property
    def is_empty(self) -> bool:
        """Whether the master has everything."""
        return not self._pending


@dataclass(slots=True)
class Ledger:
    """Which deltas of each worker the master has accepted: in order, each once."""

    _last_seq: dict[int, int] = field(default_factory=dict)

    def is_next(self, worker: int, seq: int) -> bool:
        """Whether this delta is the next one of its worker.

        A repeated delta (its acknowledgement was lost) is not, and neither is one that overtook its
        predecessor: the worker sends both again.
        """
        return seq == self.last_seq(worker) + 1

    def accept(self, worker: int, seq: int) -> None:
        """Count a delta as written down. From here on it may be acknowledged."""
        self._last_seq[worker] = seq

    def last_seq(self, worker: int) -> int:
        """The newest delta accepted from this worker; 0 for none."""
        return self._last_seq.get(worker, 0)
