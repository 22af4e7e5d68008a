"""The test cluster is a real Kubernetes: what the other tests take from it, shown once."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from scenarios.errors import StageFailed
from tests.cluster.access import Cluster
from tests.cluster.addresses import NODE
from tests.cluster.lifecycle import up
from tests.cluster.load import steady_load
from tests.cluster.patience import eventually
from tests.cluster.pods import asked_from, pod_spec, start_pod
from tests.cluster.processes import recorded
from tests.cluster.rehearsal import NAME, ByCpu, ByRequests, Platform, deploy_platform, ready_replicas


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as name:
        yield name


def asked(cluster: Cluster, promql: str) -> list[dict[str, Any]]:
    """The labels of what Prometheus finds."""
    query = urllib.parse.urlencode({"query": promql})
    with urllib.request.urlopen(f"{cluster.prometheus_url}/api/v1/query?{query}", timeout=10) as answer:
        return [sample["metric"] for sample in json.load(answer)["data"]["result"]]


def object_named(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("-n", namespace, "get", name, "-o", "json"))
    return found


def test_the_node_is_ready_and_is_the_kubernetes_we_say(cluster: Cluster) -> None:
    node = json.loads(cluster.kubectl("get", "node", NODE, "-o", "json"))
    ready = next(each for each in node["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], node["status"]["nodeInfo"]["kubeletVersion"]) == ("True", "v1.34.10")


def test_up_again_changes_nothing_and_says_so(cluster: Cluster) -> None:
    before, said = recorded(cluster.places), list[str]()
    assert not up(cluster.places, said.append)
    assert recorded(cluster.places) == before
    assert "already up" in said[-1]


def test_pods_find_each_other_by_name(cluster: Cluster, namespace: str) -> None:
    start_pod(cluster, namespace, "server", "serve")
    start_pod(cluster, namespace, "client", "serve")
    ports = [{"port": 80, "targetPort": 8080}]
    spec = {"selector": {"app": "server"}, "ports": ports}
    about = {"name": "server", "namespace": namespace}
    cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": about, "spec": spec})
    answer = eventually(lambda: asked_from(cluster, namespace, "client", "get", "http://server"), bool)
    assert answer == "server"


def test_an_indexed_job_runs_every_index_once(cluster: Cluster, namespace: str) -> None:
    spec = {
        "completionMode": "Indexed",
        "completions": 3,
        "parallelism": 3,
        "backoffLimit": 0,
        "template": {"spec": pod_spec("index")},
    }
    about = {"name": "shards", "namespace": namespace}
    cluster.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": spec})
    cluster.kubectl("-n", namespace, "wait", "--for=condition=Complete", "job/shards", "--timeout=60s")
    said = cluster.kubectl("-n", namespace, "logs", "-l", "job-name=shards")
    assert sorted(said.split()) == ["0", "1", "2"]


def test_prometheus_scrapes_pods_that_ask_for_it_and_says_whose_they_are(cluster: Cluster, namespace: str) -> None:
    deploy_platform(cluster, namespace, Platform(hpa=None))
    series = f'http_requests_total{{namespace="{namespace}"}}'
    labels = eventually(lambda: asked(cluster, series), bool)[0]
    assert (labels["app"], labels["job"], labels["pod"].rsplit("-", 2)[0]) == (NAME, "pods", NAME)
    deployed = f'kube_deployment_status_replicas_ready{{namespace="{namespace}",deployment="{NAME}"}}'
    assert eventually(lambda: asked(cluster, deployed), bool)


def test_an_hpa_scales_on_requests_of_its_pods_and_back(cluster: Cluster, namespace: str) -> None:
    url = deploy_platform(cluster, namespace, Platform(hpa=ByRequests(per_pod_rps=100), max_replicas=4))
    with steady_load(url, rate_rps=290):
        eventually(lambda: ready_replicas(cluster, namespace), lambda ready: ready >= 3)
    eventually(lambda: ready_replicas(cluster, namespace), lambda ready: ready == 1)


def test_an_hpa_scales_on_cpu(cluster: Cluster, namespace: str) -> None:
    by_cpu = Platform(hpa=ByCpu(utilization_ratio=0.5), max_replicas=3, cpu_request_millicores=10)
    url = deploy_platform(cluster, namespace, by_cpu)
    with steady_load(url, rate_rps=400):
        eventually(lambda: ready_replicas(cluster, namespace), lambda ready: ready == 3, within_s=90)


def test_an_hpa_at_its_maximum_says_so(cluster: Cluster, namespace: str) -> None:
    url = deploy_platform(cluster, namespace, Platform(hpa=ByRequests(per_pod_rps=50), max_replicas=2))

    def reasons() -> list[str]:
        status = object_named(cluster, namespace, f"hpa/{NAME}")["status"]
        return [condition["reason"] for condition in status.get("conditions", ())]

    with steady_load(url, rate_rps=300):
        eventually(reasons, lambda said: "TooManyReplicas" in said)


def policy(namespace: str, name: str, *ingress: object) -> dict[str, Any]:
    spec = {"podSelector": {"matchLabels": {"app": "server"}}, "policyTypes": ["Ingress"], "ingress": list(ingress)}
    about = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": about, "spec": spec}


def test_network_policies_deny_all_and_allow_whom_they_name(cluster: Cluster, namespace: str) -> None:
    for name in ("server", "friend", "stranger"):
        start_pod(cluster, namespace, name, "serve")
    address = object_named(cluster, namespace, "pod/server")["status"]["podIP"]

    def reaches(name: str) -> bool:
        try:
            return asked_from(cluster, namespace, name, "get", f"http://{address}:8080") == "server"
        except StageFailed:
            return False

    def seen() -> tuple[bool, bool]:
        return reaches("friend"), reaches("stranger")

    assert seen() == (True, True)
    cluster.apply(policy(namespace, "nobody"))
    eventually(seen, lambda now: now == (False, False))
    friends = {"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}
    cluster.apply(policy(namespace, "friends", friends))
    eventually(seen, lambda now: now == (True, False))
