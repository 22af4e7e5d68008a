"""Exactly once, both ends: the worker's outbox of unacknowledged deltas and the master's ledger of accepted ones."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_PATIENCE = 8


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
    _sent_up_to: int = 0
    _waiting_for: int = 0  # the oldest unacknowledged one at the last sending …
    _waiting_since_s: float = 0.0  # … and since when
    _patience: int = 1  # doubles each time everything has gone again in vain

    def put(self, *, body: str, vitals: dict[str, float], final: bool = False) -> Delta:
        """Number a drained delta and keep it until it is acknowledged."""
        self._last_seq += 1
        delta = Delta(seq=self._last_seq, body=body, vitals=vitals, final=final)
        self._pending.append(delta)
        return delta

    def acknowledge(self, up_to_seq: int) -> None:
        """Forget everything the master has written down."""
        self._pending = [delta for delta in self._pending if delta.seq > up_to_seq]

    def to_send(self, *, now_s: float, again_after_s: float) -> tuple[Delta, ...]:
        """What is new; everything again when for so long no acknowledgement has come any further.

        Not sooner: a master that is only slow would get each delta many times, and so become slower still.
        """
        oldest = self._pending[0].seq if self._pending else 0
        if oldest != self._waiting_for:
            self._waiting_for, self._waiting_since_s, self._patience = oldest, now_s, 1
        if oldest <= self._sent_up_to and now_s - self._waiting_since_s >= again_after_s * self._patience:
            self._waiting_since_s, self._sent_up_to = now_s, 0
            self._patience = min(2 * self._patience, MOST_PATIENCE)
        chosen = tuple(delta for delta in self._pending if delta.seq > self._sent_up_to)
        self._sent_up_to = self._last_seq
        return chosen

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
