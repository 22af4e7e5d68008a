"""What the chart's ServiceAccounts may do, asked of a real API server, and above all what they may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.charts.helm import needs_helm
from tests.charts.on_cluster import RELEASE, Cluster, apply, as_file, rendered_for, values_for_tests

pytestmark = needs_helm

LEASE = "golive-0f1e2d3c"
KINDS_OF_RIGHTS = {"ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
CLOSED = ("secrets", "configmaps", "serviceaccounts", "nodes", "namespaces")
READING = ("get", "list", "watch")


@dataclass(frozen=True, kw_only=True)
class Installed:
    """The rights of one release, and a namespace that has nothing to do with it."""

    own: str
    target: str
    foreign: str


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Installed]:
    with cluster.namespace() as own, cluster.namespace() as target, cluster.namespace() as foreign:
        rbac = {"targetNamespaces": [target], "lease": {"namespace": target, "name": LEASE}}
        objects = rendered_for(cluster, own, values_for_tests(rbac=rbac))
        apply(cluster, [manifest for manifest in objects if manifest["kind"] in KINDS_OF_RIGHTS])
        yield Installed(own=own, target=target, foreign=foreign)


def may(cluster: Cluster, who: str, asked: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], bool]:
    """Of each (namespace, verb, `resource[/sub][.group][:name]`), whether it may; namespace "" is cluster-wide."""
    listed = {"apiVersion": "v1", "kind": "List", "items": [review(who, *one) for one in asked]}
    with as_file(listed) as path:
        answers = cluster.kubectl("create", "-f", path, "-o", r"jsonpath={.status.allowed}{'\n'}").split()
    assert len(answers) == len(asked)
    return {one: answer == "true" for one, answer in zip(asked, answers, strict=True)}


def review(who: str, namespace: str, verb: str, what: str) -> dict[str, object]:
    named, _, name = what.partition(":")
    resource, _, group = named.partition(".")
    resource, _, sub = resource.partition("/")
    about = {
        "namespace": namespace,
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": sub,
        "name": name,
    }
    spec = {"user": who, "groups": groups_of(who), "resourceAttributes": about}
    return {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}


def groups_of(who: str) -> list[str]:
    return ["system:serviceaccounts", f"system:serviceaccounts:{who.split(':')[2]}", "system:authenticated"]


def account(installed: Installed, role: str) -> str:
    return f"system:serviceaccount:{installed.own}:{RELEASE}-{role}"


def needed(installed: Installed) -> list[tuple[str, str, str]]:
    of_target = (
        "horizontalpodautoscalers.autoscaling", "deployments.apps", "replicasets.apps", "statefulsets.apps",
        "pods", "events", "events.events.k8s.io",
    )  # fmt: skip
    of_itself = ("pods", "jobs.batch", "events", "events.events.k8s.io")
    reads = [(installed.target, verb, what) for what in of_target for verb in READING]
    reads += [(installed.own, verb, what) for what in of_itself for verb in READING]
    return reads + [
        (installed.target, verb, f"leases.coordination.k8s.io:{LEASE}") for verb in ("get", "update", "delete")
    ]


def forbidden(installed: Installed) -> list[tuple[str, str, str]]:
    places = (installed.own, installed.target, installed.foreign, "kube-system", "")
    nowhere = [
        *((verb, what) for what in CLOSED for verb in READING),
        *((verb, "pods") for verb in ("create", "delete", "deletecollection", "update", "patch")),
        *(("create", f"pods/{sub}") for sub in ("exec", "attach", "portforward", "eviction", "binding")),
        ("get", "pods/log"),
        ("create", "serviceaccounts/token"),
        ("create", "deployments.apps"), ("patch", "deployments.apps"), ("update", "deployments/scale.apps"),
        ("patch", "horizontalpodautoscalers.autoscaling"), ("delete", "horizontalpodautoscalers.autoscaling"),
        ("create", "jobs.batch"), ("delete", "jobs.batch"),
        ("create", "leases.coordination.k8s.io"), ("list", "leases.coordination.k8s.io"),
        ("update", "leases.coordination.k8s.io:another-run"), ("delete", "leases.coordination.k8s.io:another-run"),
        ("create", "rolebindings.rbac.authorization.k8s.io"), ("escalate", "roles.rbac.authorization.k8s.io"),
        ("impersonate", "users"), ("create", "networkpolicies.networking.k8s.io"), ("create", "events"),
    ]  # fmt: skip
    return [(place, verb, what) for place in places for verb, what in nowhere] + elsewhere(installed)


def elsewhere(installed: Installed) -> list[tuple[str, str, str]]:
    """What may be read of the target may not be read anywhere else."""
    read = ("pods", "events", "deployments.apps", "horizontalpodautoscalers.autoscaling")
    return [
        (place, verb, what) for place in (installed.foreign, "kube-system", "") for what in read for verb in READING
    ]


def test_the_master_may_do_what_it_needs(cluster: Cluster, installed: Installed) -> None:
    answers = may(cluster, account(installed, "master"), needed(installed))
    assert all(answers.values()), [one for one, allowed in answers.items() if not allowed]


def test_the_master_may_do_nothing_else(cluster: Cluster, installed: Installed) -> None:
    answers = may(cluster, account(installed, "master"), forbidden(installed))
    assert not any(answers.values()), [one for one, allowed in answers.items() if allowed]


def test_a_worker_may_do_nothing_at_all(cluster: Cluster, installed: Installed) -> None:
    answers = may(cluster, account(installed, "worker"), needed(installed) + forbidden(installed))
    assert not any(answers.values()), [one for one, allowed in answers.items() if allowed]


def test_the_master_of_another_release_may_do_nothing_here(cluster: Cluster, installed: Installed) -> None:
    stranger = f"system:serviceaccount:{installed.foreign}:{RELEASE}-master"
    answers = may(cluster, stranger, needed(installed))
    assert not any(answers.values()), [one for one, allowed in answers.items() if allowed]


def test_nodes_are_read_only_where_that_is_granted(cluster: Cluster, installed: Installed) -> None:
    objects = rendered_for(cluster, installed.own, values_for_tests(rbac={"nodes": True}))
    wide = [manifest for manifest in objects if manifest["kind"].startswith("ClusterRole")]
    try:
        apply(cluster, wide)
        asked = [("", verb, "nodes") for verb in (*READING, "patch", "delete")]
        allowed = may(cluster, account(installed, "master"), asked)
    finally:
        cluster.kubectl("delete", "clusterrole,clusterrolebinding", f"{RELEASE}-nodes")
    assert [verb for (_, verb, _), answer in allowed.items() if answer] == list(READING)
