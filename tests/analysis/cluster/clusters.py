"""What a watch of a synthetic run's cluster would have written: one HPA and its pods, golive's own pods, gaps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.analysis.records import T0, Synthetic

Line = dict[str, Any]
Condition = tuple[str, bool, str]  # type, holds, reason
WELL: tuple[Condition, ...] = (
    ("AbleToScale", True, "ReadyForNewScale"),
    ("ScalingActive", True, "ValidMetricFound"),
    ("ScalingLimited", False, "DesiredWithinRange"),
)
MAXED_OUT: tuple[Condition, ...] = (*WELL[:2], ("ScalingLimited", True, "TooManyReplicas"))
NO_METRICS: tuple[Condition, ...] = (WELL[0], ("ScalingActive", False, "FailedGetPodsMetric"), MAXED_OUT[2])
IMAGE, DIGEST = "shop/core:1", "sha256:aaaaaaaaaaaaaaaa"


def step_up(t: float) -> int:
    """Two replicas, and four from the tenth second on."""
    return 4 if t >= 10 else 2


@dataclass(frozen=True, kw_only=True)
class OwnPod:
    """One of golive's own pods; what happened to it is in `changes`, t → fields of its line."""

    name: str
    component: str = "worker"
    index: int | None = 0
    node: str = "node-1"
    changes: Mapping[float, Mapping[str, Any]] = field(default_factory=dict)

    def lines(self) -> Iterator[Line]:
        about: Line
        about = {"uid": f"uid-{self.name}", "namespace": "golive", "name": self.name, "owner": "Job/golive-worker",
                 "node": self.node, "run": "R1", "component": self.component, "index": self.index, "phase": "Running",
                 "reason": "", "message": "", "restarts": 0, "ended": None, "disruption": None,
                 "deletion_unix_s": None, "ready": True, "ready_unix_s": T0 - 8, "created_unix_s": T0 - 9,
                 "scheduled_unix_s": T0 - 9, "images": {}, "digests": {}}  # fmt: skip
        yield {"at_unix_s": T0 - 8.0, **about}
        for t, changed in sorted(self.changes.items()):
            about = {**about, **changed}
            yield {"at_unix_s": T0 + t, **about}


@dataclass(frozen=True, kw_only=True)
class WatchedCluster:
    """`t` in seconds after the load's start. The pods of each raise come one after the other's stages."""

    run: Synthetic
    look_every_s: float = 2.0
    desired: Callable[[float], int] = step_up
    max_replicas: int = 9
    conditions: Callable[[float], Sequence[Condition]] = lambda _t: WELL
    metric: Callable[[float], float | None] = lambda t: 80.0 if 6 <= t < 12 else 50.0
    created_after_s: float = 0.2
    scheduled_after_s: float = 0.5
    ready_after_s: float = 5.0
    from_s: float = -10.0
    unseen: tuple[tuple[float, float], ...] = ()  # no look at the HPA from t to t
    blind: tuple[tuple[str, float, float, str, bool], ...] = ()  # kind, from, to, trouble, lost
    refused: tuple[str, ...] = ("nodes",)
    templates: Mapping[float, str] = field(default_factory=dict)  # t → the template from then on
    digests: Mapping[float, str] = field(default_factory=dict)  # the same of the image's content
    spec: Callable[[float], str] = lambda _t: "spec-1"
    own: tuple[OwnPod, ...] = ()
    nodes: tuple[Line, ...] = ()
    events: tuple[Line, ...] = ()
    more_pods: tuple[Line, ...] = ()
    deployments_seen: bool = True
    pods_seen: bool = True

    @property
    def until_s(self) -> float:
        return float(self.run.loaded_s + self.run.watch_s)

    def write(self, folder: Path) -> Path:
        """Write the files beside the run's record."""
        place = folder / "kubernetes"
        place.mkdir(parents=True)
        self._lines(place, "watch", self._watch())
        self._lines(place, "hpas", self._hpas())
        if self.deployments_seen:
            self._lines(place, "deployments", self._deployments())
        pods = [line for pod in self.own for line in pod.lines()]
        self._lines(place, "pods", [*(self._pods() if self.pods_seen else ()), *pods, *self.more_pods])
        self._lines(place, "nodes", self.nodes)
        self._lines(place, "events", self.events)
        known = {"cluster_uid": "c1", "kubernetes": "v1.34.0", "namespace": "hotel", "hpas": {"core": self.spec(-9)},
                 "deployments": {"core": {"template": "t1", "images": {"core": [DIGEST]}}}, "node_pools": "",
                 "unread": ["nodes: 403 forbidden"]}  # fmt: skip
        self._lines(place, "fingerprint", ({"at_unix_s": T0 + t, **known} for t in (self.from_s, self.until_s)))
        return folder

    @staticmethod
    def _lines(place: Path, name: str, lines: Any) -> None:
        (place / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def _watch(self) -> Iterator[Line]:
        yield {"at_unix_s": T0 + self.from_s, "what": "started", "format": 1, "server": "https://10.0.0.1:443",
               "target_namespace": "hotel", "own_namespace": "golive", "run": "R1",
               "look_every_s": self.look_every_s}  # fmt: skip
        for kind in self.refused:
            yield {"at_unix_s": T0 + self.from_s, "what": "not allowed", "kind": kind, "namespace": "",
                   "trouble": "403 forbidden", "said": ""}  # fmt: skip
        for kind, start, end, trouble, lost in self.blind:
            yield {"at_unix_s": T0 + end, "what": "blind", "kind": kind, "namespace": "hotel", "trouble": trouble,
                   "from_unix_s": T0 + start, "until_unix_s": T0 + end, "failures": 3, "lost": lost}  # fmt: skip
        yield {"at_unix_s": T0 + self.until_s, "what": "ended", "lines_lost": 0}

    def _looks(self) -> Iterator[float]:
        t = self.from_s
        while t < self.until_s:
            if not any(start < t < end for start, end in self.unseen):
                yield t
            t += self.look_every_s

    def _hpas(self) -> Iterator[Line]:
        before: Line = {}
        for t in self._looks():
            line = {
                "namespace": "hotel", "name": "core", "scales": "Deployment/core", "spec": self.spec(t), "min": 2,
                "max": self.max_replicas, "current": self.desired(t - self.created_after_s), "desired": self.desired(t),
                "conditions": [
                    {"type": kind, "status": str(holds), "reason": reason, "message": f"it is {reason}"}
                    for kind, holds, reason in self.conditions(t)
                ],
                "metrics": [{"name": "cpu", "target": 50.0, "now": self.metric(t)}],
            }  # fmt: skip
            news = {part: value for part, value in line.items() if before.get(part) != value}
            yield {"at_unix_s": T0 + t, "namespace": "hotel", "name": "core", **news}
            before = line

    def _deployments(self) -> Iterator[Line]:
        before: Line = {}
        for tenth in range(round(self.from_s * 10), round(self.until_s * 10)):
            t = tenth / 10
            line = {
                "namespace": "hotel", "name": "core", "template": self._at(self.templates, t, "t1"),
                "wanted": self.desired(t), "replicas": self.desired(t - self.created_after_s),
                "ready": self.desired(t - self.ready_after_s), "updated": 0,
            }  # fmt: skip
            if line != before:
                yield {"at_unix_s": T0 + t, **line}
            before = line

    def _pods(self) -> Iterator[Line]:
        alive = 0
        for tenth in range(round(self.from_s * 10), round(self.until_s * 10)):
            t = tenth / 10
            while alive < self.desired(t):
                yield from self._life(f"core-{alive}", t)
                alive += 1

    def _life(self, name: str, t: float) -> Iterator[Line]:
        created = T0 + t + self.created_after_s
        scheduled, ready = T0 + t + self.scheduled_after_s, T0 + t + self.ready_after_s
        about = {"uid": f"uid-{name}", "namespace": "hotel", "name": name, "owner": "Deployment/core", "node": "",
                 "run": "", "component": "", "index": None, "phase": "Pending", "reason": "", "message": "",
                 "restarts": 0, "ended": None, "disruption": None, "deletion_unix_s": None, "ready": False,
                 "ready_unix_s": None, "created_unix_s": float(int(created)), "scheduled_unix_s": None,
                 "images": {"core": IMAGE}, "digests": {}}  # fmt: skip
        if t == self.from_s:  # it has been there all along
            about |= {"created_unix_s": T0 - 999.0, "scheduled_unix_s": T0 - 998.0, "ready_unix_s": T0 - 990.0}
            about |= {"node": "node-1", "phase": "Running", "ready": True, "digests": {"core": DIGEST}}
            yield {"at_unix_s": T0 + t, **about}
            return
        yield {"at_unix_s": created, **about}
        about |= {"node": "node-1", "scheduled_unix_s": float(int(scheduled))}
        yield {"at_unix_s": scheduled, **about}
        about |= {"phase": "Running", "ready": True, "ready_unix_s": float(int(ready)),
                  "digests": {"core": self._at(self.digests, t, DIGEST)}}  # fmt: skip
        yield {"at_unix_s": ready, **about}

    @staticmethod
    def _at(known: Mapping[float, str], t: float, first: str) -> str:
        passed = [value for since, value in sorted(known.items()) if since <= t]
        return passed[-1] if passed else first


def seat_worker(folder: Path, worker: int, pod: str) -> None:
    """Let a worker of a record have said which pod it is."""
    lines = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    for line in lines:
        if line["event"] == "worker_ready" and line["worker"] == worker:
            line["identity"] = {"index": worker, "pod": pod, "pod_uid": f"uid-{pod}", "node": "node-1"}
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
