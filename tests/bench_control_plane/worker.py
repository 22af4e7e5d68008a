"""A worker without its Locust: the real worker's side of a run, and what a master needs of Locust's protocol."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import gevent
from locust import __version__
from locust.rpc import Message, zmqrpc
from locust.stats import RequestStats

from loadtest.gevent_clock import GeventClock
from loadtest.vitals import Vitals
from loadtest.worker import WorkerSide
from tests.bench_control_plane.engine import SilentEngine

HEARTBEAT_S, STATS_S = 1.0, 3.0  # Locust's own
NO_STATS = RequestStats(use_response_times_cache=False).total.get_stripped_report()


@dataclass(slots=True)
class Losses:
    """How bad the wire is, each as a share of the messages: reports lost, reports sent twice, acknowledgements lost."""

    reports: float = 0.0
    repeats: float = 0.0
    acknowledgements: float = 0.0


@dataclass(slots=True)
class Fare:
    """What one worker lived through."""

    acknowledged_after_ms: list[float] = field(default_factory=list)
    reports: int = 0
    lost: int = 0
    repeated: int = 0


class SimulatedWorker:
    """One worker: `quit` is set when the master has sent it home."""

    def __init__(self, port: int, index: int, engine: SilentEngine, losses: Losses) -> None:
        self.engine, self.fare, self.left = engine, Fare(), gevent.event.Event()
        self._id = f"simulated-{index:05d}"
        self._losses, self._chance = losses, random.Random(index)
        self._client = zmqrpc.Client("127.0.0.1", port, self._id)
        self._drained_s: dict[int, float] = {}
        self._acknowledged = 0
        self._state = "ready"
        self._users: dict[str, int] = {}
        identity = {"index": index, "pod": self._id, "pod_uid": self._id, "node": "simulated"}
        self.side = WorkerSide(
            wire=self, clock=GeventClock(), build=lambda *_: engine, off_hub=lambda call: call(),
            vitals=Vitals(cpu_stat=None), identity=identity,
        )  # fmt: skip
        self._say("client_ready", __version__)
        for life in (self._listen, self._beat, self._tell_locust, self._report):
            gevent.spawn(life)

    # --- golive's wire -----------------------------------------------------------------------

    def send(self, to: str, kind: str, content: Mapping[str, Any]) -> None:
        del to
        if kind == "golive_delta":
            self.fare.reports += 1
            self._drained_s.setdefault(content["seq"], time.monotonic())
            if self._chance.random() < self._losses.reports:
                self.fare.lost += 1
                return
            if self._chance.random() < self._losses.repeats:
                self.fare.repeated += 1
                self._say(kind, dict(content))
        self._say(kind, dict(content))

    def _report(self) -> None:
        gevent.sleep(self._chance.random())  # workers do not report in step
        self.side.report_forever()

    def _heard(self, kind: str, content: Mapping[str, Any]) -> None:
        if kind == "golive_ack":
            if self._chance.random() < self._losses.acknowledgements:
                return
            for seq in range(self._acknowledged + 1, content["seq"] + 1):
                delay_s = time.monotonic() - self._drained_s.pop(seq)
                self.fare.acknowledged_after_ms.append(delay_s * 1000)
            self._acknowledged = max(self._acknowledged, content["seq"])
        self.side.hear(kind, content)

    # --- Locust's protocol -------------------------------------------------------------------

    def _say(self, kind: str, data: Any) -> None:
        self._client.send(Message(kind, data, self._id))

    def _listen(self) -> None:
        while not self.left.is_set():
            message = self._client.recv()
            match message.type:
                case "spawn":
                    self._users = message.data["user_classes_count"]
                    self._state = "running"
                    self._say("spawning", None)
                    count = sum(self._users.values())
                    self._say("spawning_complete", {"user_classes_count": self._users, "user_count": count})
                case "stop":
                    self._state = "ready"
                    self._say("client_stopped", None)
                    self._say("client_ready", __version__)
                case "quit":
                    self.left.set()
                case kind if kind.startswith("golive_"):
                    self._heard(kind, message.data)

    def _beat(self) -> None:
        while not self.left.is_set():
            load = {"state": self._state, "current_cpu_usage": 10.0, "current_memory_usage": 10**8}
            self._say("heartbeat", load)
            gevent.sleep(HEARTBEAT_S)

    def _tell_locust(self) -> None:
        gevent.sleep(self._chance.random() * STATS_S)
        while not self.left.is_set():
            told = {"stats": [], "stats_total": NO_STATS, "errors": {}, "user_classes_count": self._users,
                    "user_count": sum(self._users.values())}  # fmt: skip
            self._say("stats", told)
            gevent.sleep(STATS_S)
