"""What a real Kubernetes does to pods, watched, read back and told by its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.cluster.fates import fate_of
from analysis.cluster.following import Pace
from analysis.cluster.record import ClusterRecord, PodLife, read_cluster
from analysis.cluster.watch import PlanOfWatching, watching
from analysis.kubernetes import Kubernetes
from slo.validity import PodEnd, PodFate
from tests.cluster.access import Cluster
from tests.cluster.artefacts.images import PLATFORM
from tests.cluster.rehearsal import load_platform_image
from tests.contracts.api_server import until

PAUSE, GOLIVE = "localhost/pause:1", "localhost/golive:test"
LABELS = {"golive/run": "R1", "app.kubernetes.io/component": "worker"}


def pod(name: str, image: str = PAUSE, **more: Any) -> dict[str, Any]:
    container = {"name": "golive", "image": image, "imagePullPolicy": "IfNotPresent", **more}
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": LABELS}, "spec": spec}


class Happening:
    """Pods of ours in a namespace of the cluster, while it is watched."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        self.cluster, self.namespace, self.folder = cluster, namespace, folder

    def have(self, *pods: dict[str, Any]) -> None:
        self.cluster.apply(*({**one, "metadata": {**one["metadata"], "namespace": self.namespace}} for one in pods))

    def have_running(self, *pods: dict[str, Any]) -> None:
        self.have(*pods)
        for one in pods:
            self.kubectl("wait", "--for=condition=Ready", f"pod/{one['metadata']['name']}", "--timeout=60s")

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl("-n", self.namespace, *words, stdin=stdin)

    def evict(self, name: str) -> None:
        about = {"name": name, "namespace": self.namespace}
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": about}
        path = f"/api/v1/namespaces/{self.namespace}/pods/{name}/eviction"
        self.cluster.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    def life(self, name: str) -> tuple[PodLife, ClusterRecord] | None:
        seen = read_cluster(self.folder)
        found = [one for one in seen.own_pods() if one.name == name] if seen else []
        return (found[0], seen) if found and seen else None

    def fate(self, name: str) -> PodFate | None:
        life = self.life(name)
        return fate_of(*life) if life else None


@pytest.fixture
def happening(cluster: Cluster, tmp_path: Path) -> Iterator[Happening]:
    reader = Kubernetes.of_kubeconfig(cluster.kubeconfig)
    with cluster.namespace("fates") as namespace:
        plan = PlanOfWatching(
            target_namespace="nobody-there", own_namespace=namespace, run_id="R1", pace=Pace(watch_for_s=20.0)
        )
        with watching(reader, plan, into=tmp_path / "kubernetes"):
            yield Happening(cluster, namespace, tmp_path)


def test_an_evicted_pod_was_evicted_by_the_api(happening: Happening) -> None:
    happening.have_running(pod("evicted"))
    happening.evict("evicted")
    assert until(lambda: happening.fate("evicted") is not None, 30)
    fate = happening.fate("evicted")
    assert fate
    assert (fate.end, fate.node) == (PodEnd.EVICTED, "node-1")
    assert "EvictionByEvictionAPI" in fate.cause


def test_a_pod_of_a_cordoned_node_was_drained(happening: Happening) -> None:
    happening.have_running(pod("drained"))
    node = happening.kubectl("get", "pod", "drained", "-o", "jsonpath={.spec.nodeName}")
    happening.cluster.kubectl("cordon", node)
    try:
        happening.evict("drained")
        assert until(lambda: happening.fate("drained") is not None, 30)
    finally:
        happening.cluster.kubectl("uncordon", node)
    fate = happening.fate("drained")
    assert fate
    assert fate.end is PodEnd.NODE_DRAINED


def test_a_pod_that_somebody_deletes_is_told_so_and_when(happening: Happening) -> None:
    happening.have_running(pod("deleted"))
    happening.kubectl("delete", "pod", "deleted", "--grace-period=20", "--wait=false")
    assert until(lambda: happening.fate("deleted") is not None, 30)
    fate, life = happening.fate("deleted"), happening.life("deleted")
    assert fate
    assert life
    assert fate.end is PodEnd.DELETED
    seen_unix_s = float(life[0].last["at_unix_s"])
    assert fate.at_unix_s <= seen_unix_s < fate.at_unix_s + 20  # when it was asked to go, not when its grace ends


def test_a_pod_that_outgrows_its_memory_was_oom_killed(happening: Happening, request: pytest.FixtureRequest) -> None:
    if GOLIVE not in happening.cluster.images():
        happening.cluster.load_image(request.getfixturevalue("golive_image"))
    small = {"limits": {"memory": "100Mi"}, "requests": {"memory": "20Mi"}}
    hoard = "b'x' * 300_000_000"
    happening.have(pod("greedy", GOLIVE, command=["python3", "-c", f"print(len({hoard}))"], resources=small))
    assert until(lambda: happening.fate("greedy") is not None, 90)
    fate = happening.fate("greedy")
    assert fate
    assert fate.end is PodEnd.OOM_KILLED
    assert "exit code 137" in fate.cause


def test_a_pod_that_fails_by_itself_is_told_by_its_exit_code(happening: Happening) -> None:
    load_platform_image(happening.cluster)
    happening.have(pod("wrong", PLATFORM, args=["--no-such-option"]))
    assert until(lambda: happening.fate("wrong") is not None, 60)
    fate = happening.fate("wrong")
    assert fate
    assert fate.end is PodEnd.FAILED
    assert "exit code" in fate.cause


def test_a_life_has_its_stages_in_order(happening: Happening) -> None:
    happening.have_running(pod("calm"))
    assert until(lambda: (life := happening.life("calm")) is not None and life[0].ready_unix_s is not None, 30)
    life = happening.life("calm")
    assert life
    one = life[0]
    assert one.scheduled_unix_s is not None
    assert one.ready_unix_s is not None
    assert one.created_unix_s <= one.scheduled_unix_s <= one.ready_unix_s
    assert fate_of(*life) is None
