"""What the run's director and its workers need of the world around them, in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Clock(Protocol):
    """Time, so that tests need not wait for it."""

    def unix_s(self) -> float:
        """The wall clock."""
        ...

    def monotonic_s(self) -> float:
        """A clock that never jumps."""
        ...

    def sleep_s(self, duration_s: float) -> None:
        """Let others work for so long."""
        ...


class Wire(Protocol):
    """Messages between the master and its workers, in order, at most once."""

    def send(self, to: str, kind: str, content: Mapping[str, Any]) -> None:
        """Send one message. `to` is a worker's id; a worker's messages go to the master whatever it says."""
        ...


class Accounts(Protocol):
    """Who keeps count, on the master, of what has been accepted and of what has happened."""

    def accepted(self, *, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        """Count a delta (engine/DELTA.md) that has been written down: each comes once, in its worker's order."""
        ...

    def happened(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take note of an event of the record (docs/record.md)."""
        ...


class Sender(Protocol):
    """The part of the engine that a worker steers (loadtest/_engine.pyi)."""

    def prepare(self) -> str:
        """Reach the target and log in; one sentence when that fails."""
        ...

    def start(self, *, start_in_us: int, start_unix_us: int, lease_us: int) -> None:
        """Begin the rate line."""
        ...

    def renew_lease(self, *, lease_us: int) -> None:
        """Keep sending for so long."""
        ...

    def halt(self, *, because: str) -> None:
        """Nothing more is due."""
        ...

    def state(self) -> str:
        """new, waiting, running, draining or done."""
        ...

    def halted_because(self) -> str:
        """Why it stopped early; empty when it did not."""
        ...

    def drain(self, *, everything: bool = False) -> str:
        """What was counted since the last call."""
        ...


BuildSender = Callable[[str, int, int], Sender]  # engine plan as JSON, shard, shards
OffHub = Callable[[Callable[[], str]], str]  # runs a blocking call where it stalls nobody
