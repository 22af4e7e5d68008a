"""The chart's NetworkPolicies on a cluster whose network agent enforces them, proven by what is denied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.charts.helm import needs_helm
from tests.charts.on_cluster import IMAGE, RELEASE, Cluster, apply, rendered_for, values_for_tests

pytestmark = needs_helm

TRANSPORT, GATEWAY, METRICS = 5557, 8080, 9646
ATTEMPTS = 10
LISTENER = "\n".join(
    (
        "import socketserver, threading",
        f"for port in ({TRANSPORT}, {GATEWAY}, {METRICS}):",
        "    server = socketserver.ThreadingTCPServer(('', port), socketserver.BaseRequestHandler)",
        "    threading.Thread(target=server.serve_forever).start()",
    )
)
CONNECT = "\n".join(
    (
        "import socket, sys",
        "try: socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3)",
        "except OSError as refused: print(refused)",
        "else: print('open')",
    )
)
OURS = {"app.kubernetes.io/name": "golive", "app.kubernetes.io/instance": RELEASE}
PODS = {
    "master": {**OURS, "app.kubernetes.io/component": "master"},
    "worker": {**OURS, "app.kubernetes.io/component": "worker"},
    "another-worker": {
        **OURS,
        "app.kubernetes.io/instance": "golive-other",
        "app.kubernetes.io/component": "worker",
    },
    "stray": {"app": "stray"},
    "gateway": {"app": "gateway"},
    "database": {"app": "database"},
    "prometheus": {"app": "prometheus"},
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Pods that all listen on all ports, with the chart's policies around some of them."""

    cluster: Cluster
    namespace: str
    addresses: dict[str, str]

    def reaches(self, source: str, to: str, port: int) -> bool:
        words = ("exec", "-n", self.namespace, source, "--", "python", "-c", CONNECT, self.addresses[to], str(port))
        return self.cluster.kubectl(*words) == "open\n"

    def settles(self, reached: bool, source: str, to: str, port: int) -> bool:
        """Whether it comes out so within some attempts: agents need a moment."""
        return any(self.reaches(source, to, port) is reached for _ in range(ATTEMPTS))


def pod(name: str, labels: dict[str, str]) -> dict[str, Any]:
    image = f"{IMAGE['repository']}:{IMAGE['tag']}"
    container = {"name": "listener", "image": image, "command": ["python", "-c", LISTENER], "imagePullPolicy": "Never"}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def to_app(name: str, port: int) -> list[dict[str, Any]]:
    peer = {"podSelector": {"matchLabels": {"app": name}}}
    return [{"to": [peer], "ports": [{"protocol": "TCP", "port": port}]}]


def policies(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    rules = {
        "targetEgress": to_app("gateway", GATEWAY),
        "prometheusEgress": to_app("prometheus", GATEWAY),
        "metricsFrom": [{"podSelector": {"matchLabels": {"app": "prometheus"}}}],
    }
    objects = rendered_for(cluster, namespace, values_for_tests(networkPolicy=rules))
    return [manifest for manifest in objects if manifest["kind"] == "NetworkPolicy"]


@pytest.fixture(scope="module")
def place(cluster: Cluster, golive_image: Path) -> Iterator[Place]:
    cluster.load_image(golive_image)
    with cluster.namespace() as namespace:
        apply(cluster, [pod(name, labels) for name, labels in PODS.items()], "-n", namespace)
        cluster.kubectl("wait", "-n", namespace, "--for=condition=Ready", "pod", "--all", "--timeout=150s")
        found = json.loads(cluster.kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]
        addresses = {one["metadata"]["name"]: one["status"]["podIP"] for one in found}
        place = Place(cluster=cluster, namespace=namespace, addresses=addresses)
        require_enforcement(place)
        apply(cluster, policies(cluster, namespace))
        yield place


def require_enforcement(place: Place) -> None:
    """Skip where a policy that has nothing to do with the chart is not enforced either."""
    assert place.reaches("stray", "database", GATEWAY), "these pods cannot talk at all: nothing can be proven"
    closed = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": place.namespace},
        "spec": {"podSelector": {"matchLabels": {"app": "database"}}, "policyTypes": ["Ingress"]},
    }
    apply(place.cluster, [closed])
    try:
        if not place.settles(False, "stray", "database", GATEWAY):
            pytest.skip("UNPROVEN: nothing enforces NetworkPolicies on this cluster")
    finally:
        place.cluster.kubectl("delete", "networkpolicy", "closed", "-n", place.namespace)


@pytest.mark.parametrize(
    ("source", "to", "port"),
    [
        ("worker", "master", TRANSPORT),
        ("worker", "gateway", GATEWAY),
        ("master", "prometheus", GATEWAY),
        ("prometheus", "master", METRICS),
    ],
)
def test_what_is_needed_is_reached(place: Place, source: str, to: str, port: int) -> None:
    assert place.settles(True, source, to, port)


@pytest.mark.parametrize(
    ("source", "to", "port"),
    [
        ("stray", "master", TRANSPORT),
        ("gateway", "master", TRANSPORT),
        ("prometheus", "master", TRANSPORT),
        ("another-worker", "master", TRANSPORT),
        ("worker", "master", METRICS),
        ("stray", "master", METRICS),
        ("worker", "database", GATEWAY),
        ("worker", "prometheus", GATEWAY),
        ("worker", "gateway", METRICS),
        ("worker", "another-worker", GATEWAY),
        ("master", "gateway", GATEWAY),
        ("master", "database", GATEWAY),
        ("master", "worker", GATEWAY),
        ("stray", "worker", GATEWAY),
    ],
)
def test_nothing_else_is(place: Place, source: str, to: str, port: int) -> None:
    assert place.settles(False, source, to, port)
    assert not place.reaches(source, to, port)


def test_the_kubernetes_api_is_closed_to_workers(place: Place) -> None:
    api = place.cluster.kubectl("get", "service", "kubernetes", "-n", "default", "-o", "jsonpath={.spec.clusterIP}")
    outside = Place(cluster=place.cluster, namespace=place.namespace, addresses={"api": api})
    assert outside.settles(True, "stray", "api", 443)
    assert outside.settles(False, "worker", "api", 443)
