"""Taking a run away from a cluster: release, Secret, Lease, and a namespace that we made and nobody uses."""

from __future__ import annotations

import time
from collections.abc import Callable

from loadtest.cluster.errors import ApiForbidden, ApiNotFound, ApiRefused
from loadtest.cluster.helm import Helm
from loadtest.cluster.lease import TargetLease
from loadtest.cluster.own_namespace import remove_unused_namespace
from loadtest.cluster.ports import Objects
from loadtest.cluster.remote_run import RemoteRun
from scenarios.errors import HarnessError

PODS_END_WITHIN_S = 90.0  # their grace period and some


class NotTakenAway(HarnessError):
    """Something of a run is still on the cluster."""

    exit_code = 5


def take_away(run: RemoteRun, helm: Helm, lease: TargetLease | None) -> None:
    """Remove everything of a run; raises NotTakenAway with what is left and how to remove it."""
    trouble: list[str] = []
    steps: list[tuple[str, Callable[[], None]]] = [
        (f"release {run.release}", lambda: helm.uninstall(run.release)),
        ("its pods", lambda: _wait_for_pods(run)),  # helm does not wait for what a Job's pods do at their end
        (f"Secret {run.release}-login", lambda: _delete_if_there(run.api, _secret(run))),
        ("the target's Lease", lambda: lease.release() if lease else None),
        (f"namespace {run.namespace}", lambda: remove_unused_namespace(run.api, run.namespace)),
    ]
    for what, step in steps:
        try:
            step()
        except HarnessError as wrong:
            trouble.append(f"{what}: {wrong.problem}")
    if trouble:
        raise NotTakenAway(
            f"Not taken away from {run.api.context}: {'; '.join(trouble)}",
            remedy=f"helm uninstall {run.release} -n {run.namespace}; kubectl delete secret,job -n {run.namespace} "
            f"-l golive/run={run.run_id}",
        )


def _wait_for_pods(run: RemoteRun) -> None:
    deadline_s = time.monotonic() + PODS_END_WITHIN_S
    while left := [*run.pods("master"), *run.pods("worker")]:
        if time.monotonic() > deadline_s:
            names = ", ".join(pod["metadata"]["name"] for pod in left)
            raise ApiRefused(
                f"{names} still there after {PODS_END_WITHIN_S:.0f} s", remedy="kubectl describe tells why"
            )
        time.sleep(0.5)


def _delete_if_there(api: Objects, path: str) -> None:
    """A run without a login made none, and its account may not even be allowed to look."""
    try:
        api.get(path)
    except (ApiNotFound, ApiForbidden):
        return
    api.delete(path)


def _secret(run: RemoteRun) -> str:
    return f"/api/v1/namespaces/{run.namespace}/secrets/{run.release}-login"
