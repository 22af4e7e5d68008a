"""The clock of Locust's processes: waiting lets their other greenlets run."""

from __future__ import annotations

import time

import gevent


class GeventClock:
    """The process's own time, waiting as gevent waits."""

    def unix_s(self) -> float:
        """The wall clock."""
        return time.time()

    def monotonic_s(self) -> float:
        """A clock that never jumps."""
        return time.monotonic()

    def sleep_s(self, duration_s: float) -> None:
        """Let others work for so long."""
        gevent.sleep(duration_s)
