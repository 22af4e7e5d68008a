"""What must be so on the cluster before anything is installed: the right one, the rights, room for the pods."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from loadtest.cluster.errors import ApiForbidden, ApiNotFound
from loadtest.cluster.pod_sizes import PodAsk
from loadtest.cluster.ports import Json, Objects
from loadtest.cluster.quantity import Amount, amount_of
from loadtest.cluster.room import Room, takes, unplaced
from scenarios.errors import PreflightFailed
from scenarios.target import Target, TargetClass

OLDEST = (1, 28)
RBAC = "rbac.authorization.k8s.io"
MADE = ("get", "create", "delete")  # what helm does with each object of a release
READ = ("get", "list", "watch")
# docs/cluster/rights.md says what each is for; docs/examples/launcher-rbac.yaml grants them.
OWN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("jobs", "batch"): (*MADE, "list", "watch"),
    ("configmaps", ""): MADE,
    ("services", ""): MADE,
    ("serviceaccounts", ""): MADE,
    ("secrets", ""): (*MADE, "list", "update"),  # helm's own, and a login's
    ("roles", RBAC): MADE,
    ("rolebindings", RBAC): MADE,
    ("networkpolicies", "networking.k8s.io"): MADE,
    ("poddisruptionbudgets", "policy"): MADE,
    ("pods", ""): READ,
    ("pods/portforward", ""): ("get", "create"),
    ("events", ""): READ,  # held so that it can be granted to the master
}
IN_TARGET: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("roles", RBAC): MADE,
    ("rolebindings", RBAC): MADE,
    # Kubernetes lets nobody grant what they do not hold: what follows is what the master is granted.
    ("horizontalpodautoscalers", "autoscaling"): READ,
    ("deployments", "apps"): READ,
    ("replicasets", "apps"): READ,
    ("statefulsets", "apps"): READ,
    ("events", ""): READ,
    ("pods", ""): READ,
}
REHEARSAL_LABEL = "golive/rehearsal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Something this account must be allowed to do. namespace "": anywhere it is not namespaced."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        """As a sentence names it."""
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{'.' + self.group if self.group else ''}{where}"


def rights_needed(namespace: str, target_namespace: str, lease_namespace: str) -> tuple[Right, ...]:
    """All that the launcher does with its own account; the chart's objects and what it asks of them later."""
    rights = _rights(namespace, OWN)
    rights += _rights(lease_namespace, {("leases", "coordination.k8s.io"): ("create", "get", "update", "delete")})
    if target_namespace:
        rights += _rights(target_namespace, IN_TARGET)
    return tuple(rights)


def _rights(namespace: str, of: Mapping[tuple[str, str], tuple[str, ...]]) -> list[Right]:
    return [
        Right(verb=verb, resource=resource, group=group, namespace=namespace)
        for (resource, group), verbs in of.items()
        for verb in verbs
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Which cluster it is."""

    cluster_uid: str
    kubernetes: str  # v1.34.1


def check_cluster(api: Objects, target: Target) -> Cluster:
    """The cluster is the one the target's entry names, and new enough.

    Raises PreflightFailed, ApiUnreachable, ApiForbidden.
    """
    version = api.get("/version")
    found = tuple(int(re.sub(r"\D", "", version[part])) for part in ("major", "minor"))
    if found < OLDEST:
        raise PreflightFailed(
            f"This cluster is Kubernetes {version['gitVersion']}; golive needs 1.28 or newer.", remedy="Upgrade it."
        )
    uid = str(api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"])
    if target.cluster_uid and target.cluster_uid != uid:
        raise PreflightFailed(
            f"Context {api.context!r} is cluster {uid}; target {target.name!r} is on {target.cluster_uid}.",
            remedy="Choose the other context (--context NAME); nothing was installed.",
        )
    if not target.cluster_uid:
        _check_declared_rehearsal(api, target, uid)
    return Cluster(cluster_uid=uid, kubernetes=str(version["gitVersion"]))


def _check_declared_rehearsal(api: Objects, target: Target, uid: str) -> None:
    """Only a namespace that calls itself a rehearsal may be driven without naming its cluster."""
    remedy = f'Have `cluster_uid: "{uid}"` reviewed and added to the entry of {target.name!r} in targets.yaml.'
    if target.target_class is not TargetClass.REHEARSAL:
        raise PreflightFailed(f"The entry of target {target.name!r} names no cluster.", remedy=remedy)
    try:
        labels = api.get(f"/api/v1/namespaces/{target.namespace}")["metadata"].get("labels", {})
    except (ApiNotFound, ApiForbidden) as wrong:
        raise PreflightFailed(
            f"The rehearsal's namespace {target.namespace!r} is not in context {api.context!r}: {wrong.problem}",
            remedy="Choose another context; `make cluster-up` raises a rehearsal on this machine.",
        ) from None
    if labels.get(REHEARSAL_LABEL) != "true":
        raise PreflightFailed(
            f"Namespace {target.namespace!r} does not call itself a rehearsal, and the target names no cluster.",
            remedy=f"{remedy} Or label a namespace that is one: {REHEARSAL_LABEL}=true.",
        )


def check_rights(api: Objects, rights: tuple[Right, ...]) -> None:
    """Ask the API server itself (SelfSubjectAccessReview); PreflightFailed names every right that lacks."""
    lacking = [right for right in rights if not _may(api, right)]
    if lacking:
        raise PreflightFailed(
            f"This account may not: {'; '.join(map(str, lacking))}.",
            remedy="docs/cluster.md has the Role to ask for, each right with its reason.",
        )


def _may(api: Objects, right: Right) -> bool:
    resource, _, subresource = right.resource.partition("/")
    asked = {
        "namespace": right.namespace, "verb": right.verb, "group": right.group, "resource": resource,
        "subresource": subresource,
    }  # fmt: skip
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }
    return bool(api.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)["status"].get("allowed"))


def check_room(api: Objects, namespace: str, pods: tuple[PodAsk, ...]) -> str:
    """There is quota and room for these pods; PreflightFailed when surely not, "" or what could not be known."""
    needed = sum((pod.amount for pod in pods), Amount())
    for quota in _quotas(api, namespace):
        _check_quota(quota, needed, len(pods))
    try:
        nodes = api.get("/api/v1/nodes")["items"]
        running = api.get("/api/v1/pods", fieldSelector="status.phase!=Succeeded,status.phase!=Failed")["items"]
    except ApiForbidden:
        return "this account may not see nodes and pods, so nobody knows whether there is room for the workers"
    rooms = [Room(node=node, free=_free(node, running)) for node in nodes]
    left = list(unplaced(rooms, pods))
    if left:
        fit = [room.free for room in rooms if takes(room.node, left[0])]
        roomiest = max(fit, key=lambda free: free.cpu_cores, default="nothing")
        raise PreflightFailed(
            f"There is no room for {len(left)} of {len(pods)} pods: {left[0].amount} needed, {roomiest} free on the "
            f"roomiest of {len(fit)} nodes that take it.",
            remedy="Fewer or smaller workers (--workers, workers.resources in a values file), or more nodes.",
        )
    return ""


def _quotas(api: Objects, namespace: str) -> list[Json]:
    try:
        found: list[Json] = api.get(f"/api/v1/namespaces/{namespace}/resourcequotas")["items"]
    except (ApiForbidden, ApiNotFound):
        return []
    return found


def _check_quota(quota: Json, needed: Amount, pods: int) -> None:
    hard, used = quota.get("status", {}).get("hard", {}), quota.get("status", {}).get("used", {})
    wanted = {
        "requests.cpu": needed.cpu_cores, "limits.cpu": needed.cpu_cores, "cpu": needed.cpu_cores,
        "requests.memory": needed.memory_bytes, "limits.memory": needed.memory_bytes, "memory": needed.memory_bytes,
        "pods": pods,
    }  # fmt: skip
    for name, amount in wanted.items():
        if name in hard and amount_of(used.get(name, "0")) + amount > amount_of(hard[name]):
            raise PreflightFailed(
                f"Quota {quota['metadata']['name']}: {name} is {used.get(name, '0')} of {hard[name]}, and this run "
                f"needs {amount:g} more.",
                remedy="Raise the quota, or use fewer or smaller workers.",
            )


def _free(node: Json, running: list[Json]) -> Amount:
    """What is allocatable on a node and not requested by a pod there."""
    free = Amount.of(node["status"]["allocatable"])
    for pod in running:
        if pod["spec"].get("nodeName") == node["metadata"]["name"]:
            for container in pod["spec"]["containers"]:
                free = free - Amount.of(container.get("resources", {}).get("requests", {}))
    return free
