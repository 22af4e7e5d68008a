"""Locust's own users behind the engine's port: what a worker steers in a closed model (loadtest/ports.py)."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadtest.closed_counts import ClosedCounts
from loadtest.ports import Clock

ENDED_BY_ITSELF = "the locustfile ended its users, by runner.stop() or runner.quit()"
OVERTIME_S = 0.1  # so that the last second of the hold is whole


class Users(Protocol):
    """The Locust users of this process."""

    def problem(self) -> str:
        """Why they must not be started; empty when they may."""
        ...

    def running(self) -> int:
        """How many there are."""
        ...

    def end(self) -> None:
        """Begin to end them; returns at once."""
        ...


@dataclass(slots=True, kw_only=True)
class ClosedSender:
    """Counts what the users send and ends them: at the plan's end, when halted, when the master is silent."""

    plan: str  # `closed_orders` as JSON
    clock: Clock
    users: Users
    counts: ClosedCounts = field(default_factory=ClosedCounts)
    _duration_s: float = field(init=False)
    _start_s: float | None = None
    _offset_s: float = 0.0  # from the monotonic clock to the master's wall clock
    _lease_until_s: float = 0.0
    _over: bool = False
    _because: str = ""
    _timers_us: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know when the plan ends."""
        self._duration_s = float(json.loads(self.plan)["duration_s"])

    def prepare(self) -> str:
        """Refuse users that would go elsewhere."""
        return self.users.problem()

    def start(self, *, start_in_us: int, start_unix_us: int, lease_us: int) -> None:
        """Begin to count on the master's clock; the users are started by Locust's master. Raises ValueError if on."""
        if self._start_s is not None:
            raise ValueError("it has been started already")
        now_s = self.clock.monotonic_s()
        self._start_s = now_s + start_in_us / 1e6
        self._offset_s = start_unix_us / 1e6 - self._start_s
        self._lease_until_s = now_s + lease_us / 1e6

    def renew_lease(self, *, lease_us: int) -> None:
        """The master has all counts so far."""
        self._lease_until_s = max(self._lease_until_s, self.clock.monotonic_s() + lease_us / 1e6)

    def halt(self, *, because: str) -> None:
        """End the users."""
        if not self._over:
            self._because = because
        self._over = True
        self._end_users()

    def over(self) -> None:
        """Locust is ending the users: when neither the plan nor the master asked for it, the locustfile did."""
        if self._start_s is None:
            return
        self._look_at_the_time(self._start_s)
        if not self._over:
            self._over, self._because = True, ENDED_BY_ITSELF

    def state(self) -> str:
        """As the engine's. Whoever starts users again after the end finds them ended once more."""
        if self._start_s is None:
            return "new"
        self._look_at_the_time(self._start_s)
        if self._over:
            self._end_users()
            return "draining" if self.users.running() else "done"
        return "running" if self.clock.monotonic_s() >= self._start_s else "waiting"

    def halted_because(self) -> str:
        """Why it stopped early; empty when it did not."""
        return self._because

    def drain(self, *, everything: bool = False) -> str:
        """What was counted since the last call."""
        del everything  # a request is counted when it has ended, so nothing is held back
        timers, self._timers_us = self._timers_us, {}
        return self.counts.take(timers_us=[(second, _p99(late)) for second, late in timers.items()])

    def ended(self, *, began_unix_s: float | None, time_ms: float | None, **what: Any) -> None:
        """Count a request that has just ended, in the second in which it was sent. Before the start there is none."""
        if self._start_s is None:
            return
        now_s = self.clock.monotonic_s()
        ago_s = None if began_unix_s is None else self.clock.unix_s() - began_unix_s
        if ago_s is None or not 0 <= ago_s <= now_s - self._start_s:
            ago_s = max((time_ms or 0.0) / 1000, 0.0)  # no start, or of another clock: users begin after the start
        sent_s = max(now_s - ago_s, self._start_s)
        self.counts.count(second=math.floor(sent_s + self._offset_s), time_ms=time_ms, **what)

    def raised(self, *, what: str, said: str) -> None:
        """Count an exception that has just ended a user's task."""
        if self._start_s is not None:
            second = math.floor(max(self.clock.monotonic_s(), self._start_s) + self._offset_s)
            self.counts.raised(second=second, what=what, said=said)

    def timer_was_late(self, late_s: float) -> None:
        """Note how late an idle timer of this process was."""
        if self._start_s is not None and self.clock.monotonic_s() >= self._start_s:
            second = math.floor(self.clock.monotonic_s() + self._offset_s)
            self._timers_us.setdefault(second, []).append(round(late_s * 1e6))

    def _look_at_the_time(self, start_s: float) -> None:
        now_s = self.clock.monotonic_s()
        if self._over:
            return
        if now_s > self._lease_until_s:
            self.halt(because="the master was silent for too long")
        elif now_s > start_s + self._duration_s + OVERTIME_S:
            self._over = True

    def _end_users(self) -> None:
        if self.users.running():
            self.users.end()


def _p99(late_us: list[int]) -> int:
    return sorted(late_us)[math.ceil(len(late_us) * 0.99) - 1]
