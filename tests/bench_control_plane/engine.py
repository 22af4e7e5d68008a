"""A worker's engine that sends nothing: it keeps the real one's states, lease and seconds; drains made-up counts."""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field

from tests.bench_control_plane.bodies import Body

HELD_BACK_S = 1  # a second is told when it lies so far back


@dataclass(slots=True, kw_only=True)
class SilentEngine:
    """Behind loadtest.ports.Sender."""

    bodies: list[Body]
    duration_s: int
    chance: random.Random
    sent: int = 0
    lapses: int = 0  # leases that ended
    _start_s: float = math.inf
    _second: int = 0
    _told: int = 0
    _lease_until_s: float = math.inf
    _halted: str = ""
    _halted_at_s: float = math.inf
    started: bool = field(default=False)

    def prepare(self) -> str:
        """Nothing to reach."""
        return ""

    def start(self, *, start_in_us: int, start_unix_us: int, lease_us: int) -> None:
        """Begin to count seconds."""
        now_s = time.monotonic()
        self._start_s, self._second, self.started = now_s + start_in_us / 1e6, start_unix_us // 1_000_000, True
        self._lease_until_s = now_s + lease_us / 1e6

    def renew_lease(self, *, lease_us: int) -> None:
        """As the real one: too late is too late."""
        if not self._lapsed():
            self._lease_until_s = time.monotonic() + lease_us / 1e6

    def halt(self, *, because: str) -> None:
        """Nothing more is due."""
        if not self._halted:
            self._halted, self._halted_at_s = because, time.monotonic()

    def state(self) -> str:
        """As loadtest/_engine.pyi says."""
        if not self.started:
            return "new"
        self._lapsed()
        elapsed_s = min(time.monotonic(), self._halted_at_s + HELD_BACK_S) - self._start_s
        if elapsed_s < 0 and not self._halted:
            return "waiting"
        over = self._halted or elapsed_s >= self.duration_s + HELD_BACK_S
        return "done" if over else "running"

    def halted_because(self) -> str:
        """Why it stopped before its plan ended."""
        return self._halted

    def drain(self, *, everything: bool = False) -> str:
        """The next whole second that lies back far enough, or "" for none."""
        elapsed_s = min(time.monotonic(), self._halted_at_s) - self._start_s
        ready = min(math.floor(elapsed_s) - (0 if everything else HELD_BACK_S), self.duration_s)
        if self._told >= ready:
            return ""
        told = []
        while self._told < ready:
            body = self.chance.choice(self.bodies)
            told.append(body.of(self._second + self._told))
            self.sent += body.sent
            self._told += 1
        return told[0] if len(told) == 1 else _joined(told)

    def _lapsed(self) -> bool:
        if self.started and not self._halted and self.duration_s > 0 and time.monotonic() > self._lease_until_s:
            if time.monotonic() - self._start_s < self.duration_s:
                self.lapses += 1
            self.halt(because="lease ended")
        return bool(self._halted)


def _joined(told: list[str]) -> str:
    """Several seconds as one delta, as the real engine drains them after a pause."""
    import json

    bodies = [json.loads(one) for one in told]
    return json.dumps({key: [entry for body in bodies for entry in body[key]] for key in bodies[0]})
