"""Watches the target's namespace, golive's own pods and the nodes while a run goes on, into `kubernetes/*.jsonl`.

Plain threads, for a process that gevent has not patched. Nothing that the API server does, or that goes wrong in here,
reaches the run: it is written down in watch.jsonl, and judging says what it took away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from analysis.cluster.fingerprint import read_fingerprint
from analysis.cluster.following import Follow, Pace, Poll, Post
from analysis.cluster.journal import Journal
from analysis.cluster.keepers import keeper_of
from analysis.cluster.objects import RUN, Line
from analysis.cluster.ports import ClusterReader, Kind, Scope
from analysis.cluster.sight import Sight

STOP_WITHIN_S = 4.0
POLLED = (Kind.HPAS,)  # every 2 s: also how long a state lasted is evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOfWatching:
    """Where to look. own_namespace "" stands for: golive does not run on this cluster."""

    target_namespace: str
    own_namespace: str = ""
    run_id: str = ""
    pace: Pace = field(default_factory=Pace)

    @property
    def release(self) -> str:
        """How the names of this run's objects begin."""
        return f"golive-{self.run_id.lower()}"

    def places(self) -> Iterator[tuple[Kind, Scope]]:
        """What is watched, and where."""
        target = Scope(namespace=self.target_namespace)
        yield from ((kind, target) for kind in (Kind.HPAS, Kind.DEPLOYMENTS, Kind.PODS, Kind.EVENTS))
        yield Kind.NODES, Scope()
        if self.own_namespace and self.own_namespace != self.target_namespace:
            yield Kind.PODS, Scope(namespace=self.own_namespace, labels=f"{RUN}={self.run_id}")
            yield Kind.EVENTS, Scope(namespace=self.own_namespace)

    def is_about_us(self, event: Line) -> bool:
        """Whether an event of golive's own namespace is about this run."""
        return str(event["about"]).partition("/")[2].startswith(self.release)


class Watch:
    """The threads of one watch. `start` once, `stop` as often as you like."""

    def __init__(self, reader: ClusterReader, plan: PlanOfWatching, *, into: Path) -> None:
        """Make the folder; ask nothing yet."""
        self._reader = reader
        self._plan = plan
        self._journal = Journal(into)
        self._stop = threading.Event()
        self._threads = [self._thread(kind, scope) for kind, scope in plan.places()]

    def start(self) -> None:
        """Begin to watch."""
        plan, server = self._plan, self._reader.server
        self._journal.write("watch", {
            "what": "started", "format": 1, "server": server, "target_namespace": plan.target_namespace,
            "own_namespace": plan.own_namespace, "run": plan.run_id, "look_every_s": plan.pace.look_every_s,
        })  # fmt: skip
        self._threads.append(threading.Thread(target=self._keep_fingerprint, daemon=True))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End within a few seconds, and close the files."""
        if self._stop.is_set():
            return
        self._stop.set()
        until_s = time.monotonic() + STOP_WITHIN_S
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < until_s:
            with suppress(Exception):  # (a stream that ends by itself at this instant)
                self._reader.interrupt()
            for thread in self._threads:
                thread.join(0.05)
        last = threading.Thread(target=self._keep_fingerprint, daemon=True)
        last.start()
        last.join(STOP_WITHIN_S)
        self._journal.write("watch", {"what": "ended", "lines_lost": self._journal.lost})
        self._journal.close()

    def _keep_fingerprint(self) -> None:
        try:
            fingerprint = read_fingerprint(self._reader, self._plan.target_namespace)
        except Exception as problem:  # noqa: BLE001  (nothing in here may disturb the run)
            fingerprint = {"unread": [f"all: {type(problem).__name__}: {problem}"[:300]]}
        self._journal.write("fingerprint", fingerprint)

    def _thread(self, kind: Kind, scope: Scope) -> threading.Thread:
        plan, ours = self._plan, scope.namespace != self._plan.target_namespace
        about = plan.is_about_us if ours else (lambda _event: True)
        post = Post(
            reader=self._reader, kind=kind, scope=scope, stop=self._stop, pace=plan.pace,
            keeper=keeper_of(kind, self._journal, about=about),
            sight=Sight(kind=kind, scope=scope, journal=self._journal),
        )  # fmt: skip
        look = Poll(post) if kind in POLLED else Follow(post)
        return threading.Thread(target=look.run, name=f"kubernetes {kind} {scope.namespace}", daemon=True)


@contextmanager
def watching(reader: ClusterReader, plan: PlanOfWatching, *, into: Path) -> Iterator[Watch]:
    """Watch for as long as the `with` lasts."""
    watch = Watch(reader, plan, into=into)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
