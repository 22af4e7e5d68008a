"""The chart installed for real, in a namespace that enforces `restricted`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from loadtest.cluster.orders import PodOrders, portable
from scenarios.errors import StageFailed
from scenarios.files import load_plan
from scenarios.target import Target, TargetClass
from tests.charts.helm import needs_helm
from tests.charts.on_cluster import RELEASE, SMALL, Cluster, apply, as_file, values_for_tests
from tests.charts.places import CHART
from tests.cluster.patience import eventually

pytestmark = needs_helm

NOWHERE = {"nowhere": "true"}  # a node label that no node has: the role stays Pending
RUN = "smoke-of-the-tests"
LEASE = "golive-0f1e2d3c"
JOB = "batch.kubernetes.io/job-name"
in_time = partial(eventually, within_s=180.0)


def values(namespace: str, *, waiting: str, **run: Any) -> dict[str, Any]:
    """A smoke test, one of whose roles is never scheduled, so that the other waits for it."""
    target = Target(name="nobody", url="http://nobody.invalid", target_class=TargetClass.REHEARSAL, namespace=namespace)
    carried = portable(load_plan("smoke", target=target))
    orders = PodOrders(
        run_id=RUN, launched_by="tests", lease_namespace=namespace, lease_name=LEASE,
        connect_within_s=300, keep_for_s=300, fingerprint={},
    )  # fmt: skip
    role = {"resources": SMALL, "terminationGracePeriodSeconds": 2}
    pending = {**role, "nodeSelector": NOWHERE}
    files = dict(carried.files)
    return values_for_tests(
        run={"id": orders.run_id, "plan": carried.text, "orders": orders.to_json(), "files": files, **run},
        workers={"count": 2, **(role if waiting == "workers" else pending)},
        master=role if waiting == "master" else pending,
        rbac={"targetNamespaces": [namespace], "lease": {"namespace": namespace, "name": LEASE}},
        networkPolicy={"apiServerEgress": [{"ports": [{"port": port} for port in (443, 6443)]}]},
    )


@contextmanager
def installed(cluster: Cluster, *, waiting: str, **run: Any) -> Iterator[str]:
    """A release in a namespace of its own; yields the namespace."""
    with cluster.namespace() as namespace:
        cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
        held = {"holderIdentity": RUN, "leaseDurationSeconds": 900, "renewTime": "2099-01-01T00:00:00.000000Z"}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": LEASE}, "spec": held}
        apply(cluster, [lease], "-n", namespace)
        with as_file(values(namespace, waiting=waiting, **run)) as path:
            cluster.helm("install", RELEASE, str(CHART), "-n", namespace, "--values", path)
        yield namespace


@pytest.fixture(scope="module")
def image(cluster: Cluster, golive_image: Path) -> None:
    cluster.load_image(golive_image)


@pytest.fixture(scope="module")
def with_master(cluster: Cluster, image: None) -> Iterator[str]:
    with installed(cluster, waiting="master") as namespace:
        yield namespace


@pytest.fixture(scope="module")
def with_workers(cluster: Cluster, image: None) -> Iterator[str]:
    with installed(cluster, waiting="workers") as namespace:
        in_time(lambda: phases(cluster, namespace, "worker"), lambda now: now == ["Running", "Running"])
        yield namespace


def pods(cluster: Cluster, namespace: str, role: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(
        cluster.kubectl("get", "pods", "-n", namespace, "-l", f"{JOB}={RELEASE}-{role}", "-o", "json")
    )["items"]
    return listed


def phases(cluster: Cluster, namespace: str, role: str) -> list[str]:
    return [pod["status"]["phase"] for pod in pods(cluster, namespace, role)]


def failure(cluster: Cluster, namespace: str, role: str) -> str:
    """Why the role's Job failed; "" when it did not."""
    reason = "jsonpath={.status.conditions[?(@.type=='Failed')].reason}"
    return cluster.kubectl("get", "job", f"{RELEASE}-{role}", "-n", namespace, "-o", reason)


def evict(cluster: Cluster, namespace: str, pod: str) -> None:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
    with as_file(eviction) as path:
        cluster.kubectl("create", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction", "-f", path)


def test_helm_test_finds_the_master_reached_by_workers_only(cluster: Cluster, with_master: str) -> None:
    said = cluster.helm("test", RELEASE, "-n", with_master, "--timeout", "150s")
    assert said.count("Phase:          Succeeded") == 2


def test_a_test_that_succeeded_leaves_nothing(cluster: Cluster, with_master: str) -> None:
    assert cluster.kubectl("get", "jobs", "-n", with_master, "-o", "name").split() == [
        f"job.batch/{RELEASE}-master",
        f"job.batch/{RELEASE}-worker",
    ]


def test_a_master_at_work_is_not_evicted(cluster: Cluster, with_master: str) -> None:
    with pytest.raises(StageFailed, match="disruption budget"):
        evict(cluster, with_master, pods(cluster, with_master, "master")[0]["metadata"]["name"])


def test_a_release_is_not_upgraded(cluster: Cluster, with_master: str) -> None:
    with as_file(values(with_master, waiting="master")) as path, pytest.raises(StageFailed, match="never upgraded"):
        cluster.helm("upgrade", RELEASE, str(CHART), "-n", with_master, "--values", path)


def test_helm_test_fails_where_nothing_enforces_the_policies(cluster: Cluster, with_master: str) -> None:
    """Without the policies a cluster is as one without an agent."""
    cluster.kubectl("delete", "networkpolicy", "--all", "-n", with_master)
    with pytest.raises(StageFailed, match=r"any pod reaches .*: nothing enforces NetworkPolicies here"):
        cluster.helm("test", RELEASE, "-n", with_master, "--timeout", "150s")


def test_each_worker_has_its_own_shard_and_is_in_the_guaranteed_class(cluster: Cluster, with_workers: str) -> None:
    found = pods(cluster, with_workers, "worker")
    assert {pod["status"]["qosClass"] for pod in found} == {"Guaranteed"}
    show = "import os; print(os.environ['JOB_COMPLETION_INDEX'])"
    shards = [
        cluster.kubectl("exec", "-n", with_workers, pod["metadata"]["name"], "--", "python", "-c", show)
        for pod in found
    ]
    assert sorted(shards) == ["0\n", "1\n"]


def test_a_worker_has_no_token_no_root_and_nowhere_to_write_but_tmp(cluster: Cluster, with_workers: str) -> None:
    name = pods(cluster, with_workers, "worker")[0]["metadata"]["name"]
    script = (
        "import os, pathlib\n"
        "assert os.getuid() == 10001\n"
        "assert not pathlib.Path('/var/run/secrets/kubernetes.io').exists()\n"
        "pathlib.Path('/tmp/here').touch()\n"
        "pathlib.Path('/etc/golive/plan.json').read_text()\n"
        "try: pathlib.Path('/opt/there').touch()\n"
        "except OSError as refused: print(refused.strerror)\n"
    )
    assert cluster.kubectl("exec", "-n", with_workers, name, "--", "python", "-c", script) == "Read-only file system\n"


def test_workers_at_work_are_not_evicted(cluster: Cluster, with_workers: str) -> None:
    with pytest.raises(StageFailed, match="disruption budget"):
        evict(cluster, with_workers, pods(cluster, with_workers, "worker")[0]["metadata"]["name"])


def test_one_worker_lost_ends_the_job_and_its_other_pods(cluster: Cluster, with_workers: str) -> None:
    """What the README says of `backoffLimit: 0`."""
    first, second = (pod["metadata"]["name"] for pod in pods(cluster, with_workers, "worker"))
    cluster.kubectl("delete", "pod", first, "-n", with_workers, "--wait=false")
    in_time(lambda: failure(cluster, with_workers, "worker"), lambda why: why == "BackoffLimitExceeded")
    in_time(lambda: phases(cluster, with_workers, "worker"), lambda now: "Running" not in now)
    assert {pod["metadata"]["name"] for pod in pods(cluster, with_workers, "worker")} <= {first, second}


def test_the_dead_mans_switch_ends_workers_and_leaves_the_master(cluster: Cluster, image: None) -> None:
    with installed(cluster, waiting="workers", deadlineSeconds=6) as namespace:
        in_time(lambda: failure(cluster, namespace, "worker"), lambda why: why == "DeadlineExceeded")
        in_time(lambda: phases(cluster, namespace, "worker"), lambda now: "Running" not in now)
        assert failure(cluster, namespace, "master") == ""


def test_uninstalling_leaves_nothing(cluster: Cluster, image: None) -> None:
    with installed(cluster, waiting="master") as namespace:
        cluster.helm("uninstall", RELEASE, "-n", namespace, "--wait", "--timeout", "150s")
        kinds = "all,cm,sa,secret,netpol,pdb,role,rolebinding,pvc"
        in_time(lambda: left(cluster, namespace, kinds), lambda names: not names)


def left(cluster: Cluster, namespace: str, kinds: str) -> list[str]:
    """What is there besides what every namespace has, and the Lease's own."""
    found = cluster.kubectl("get", kinds, "-n", namespace, "-o", "name").split()
    return [name for name in found if name not in ("configmap/kube-root-ca.crt", "serviceaccount/default")]
