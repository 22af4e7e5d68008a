"""The namespace that golive's own pods run in: there before a run, gone with the last one where golive made it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from loadtest.cluster.errors import ApiConflict, ApiForbidden, ApiNotFound
from loadtest.cluster.ports import Objects
from scenarios.errors import PreflightFailed

CREATED_BY_US = "golive/created-for-runs"
GONE_WITHIN_S = 90.0  # pods of the run before have 30 s to end, as a rule
LOOK_EVERY_S = 0.5


def ensure_namespace(
    api: Objects, namespace: str, *, say: Callable[[str], None], gone_within_s: float = GONE_WITHIN_S
) -> None:
    """Have it; one that we make says so. Waits for one that is just being removed: nothing can be made in it any more.

    Raises PreflightFailed when that one stays.
    """
    until_s, told = time.monotonic() + gone_within_s, False
    while (state := _state(api, namespace)) == "going":
        if time.monotonic() > until_s:
            raise PreflightFailed(
                f"Namespace {namespace} has been on its way out for {gone_within_s:.0f} s: nothing can be made in it.",
                remedy=f"`kubectl get namespace {namespace} -o yaml` tells what it waits for; or take another "
                "(--namespace).",
            )
        if not told:
            say(f"namespace {namespace} is still being removed after the run before: waiting")
        told = True
        time.sleep(LOOK_EVERY_S)
    if state == "there":
        return
    labels, annotations = {"pod-security.kubernetes.io/enforce": "restricted"}, {CREATED_BY_US: "true"}
    metadata = {"name": namespace, "labels": labels, "annotations": annotations}
    with suppress(ApiConflict):  # somebody made it meanwhile
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def remove_unused_namespace(api: Objects, namespace: str) -> None:
    """Delete a namespace that golive made, once no pod and no release of golive is in it."""
    try:
        found = api.get(f"/api/v1/namespaces/{namespace}")
        if found["metadata"].get("annotations", {}).get(CREATED_BY_US) != "true":
            return
        pods = api.get(f"/api/v1/namespaces/{namespace}/pods")["items"]
        releases = api.get(f"/api/v1/namespaces/{namespace}/secrets", labelSelector="owner=helm")["items"]
        living = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        if not living and not releases:
            api.delete(f"/api/v1/namespaces/{namespace}")
    except (ApiNotFound, ApiForbidden):
        return  # gone, or not ours to see: whoever may delete it decides


def _state(api: Objects, namespace: str) -> str:
    """`there`, `going` (being removed) or `none`."""
    try:
        found = api.get(f"/api/v1/namespaces/{namespace}")
    except ApiNotFound:
        return "none"
    return "going" if found["metadata"].get("deletionTimestamp") else "there"
