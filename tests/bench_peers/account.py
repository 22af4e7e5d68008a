"""The CPU of a run's processes followed through time, so that making load is told from starting up and going away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

LOOK_EVERY_S = 0.05


@dataclass(slots=True)
class Account:
    """What some processes have used, twenty times a second."""

    pids: list[int] = field(default_factory=list)
    first_request_s: float = 0.0
    samples: list[tuple[float, float]] = field(default_factory=list)  # when, CPU seconds so far
    _used_s: dict[int, float] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[None]:
        """Follow the processes while the `with` lasts; what is gone counts as it was seen last."""
        ended = threading.Event()
        follower = threading.Thread(target=self._follow, args=(ended,), daemon=True)
        follower.start()
        try:
            yield
        finally:
            ended.set()
            follower.join()

    def note_first_request(self) -> None:
        """The target has seen the first request."""
        self.first_request_s = time.monotonic()
        self.look()

    def look(self) -> None:
        """Take one sample."""
        now_s = time.monotonic()
        for pid in list(self.pids):
            self._used_s[pid] = max(self._used_s.get(pid, 0.0), cpu_of(pid))
        self.samples.append((now_s, sum(self._used_s.values())))

    def used_at(self, instant_s: float) -> float:
        """CPU seconds used until then, on a straight line between two samples."""
        ordered = sorted(self.samples)
        before = [sample for sample in ordered if sample[0] <= instant_s] or [(instant_s, 0.0)]
        after = [sample for sample in ordered if sample[0] > instant_s] or before[-1:]
        (from_s, from_cpu_s), (to_s, to_cpu_s) = before[-1], after[0]
        passed = (instant_s - from_s) / (to_s - from_s) if to_s > from_s else 0.0
        return from_cpu_s + passed * (to_cpu_s - from_cpu_s)

    def used_while_loading(self, span_s: float) -> float:
        """CPU seconds from the first request until `span_s` later, when the last was made."""
        return self.used_at(self.first_request_s + span_s) - self.used_at(self.first_request_s)

    def _follow(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_EVERY_S):
            self.look()


def cpu_of(pid: int) -> float:
    """CPU of a process and of those of its children that have ended; 0 once it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
