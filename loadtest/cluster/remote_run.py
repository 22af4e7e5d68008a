"""A run on a cluster, found by its label: its pods, what became of them, and its record server."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from loadtest.cluster.api import Api
from loadtest.cluster.errors import ApiNotFound, RunNotThere
from loadtest.cluster.lease import TargetLease
from loadtest.cluster.orders import ORDERS, PodOrders
from loadtest.cluster.ports import Json
from loadtest.cluster.record_client import RecordClient
from loadtest.cluster.record_server import RECORD_PORT

RUN_LABEL, ROLE_LABEL = "golive/run", "app.kubernetes.io/component"
MINE = "app.kubernetes.io/name=golive"


def release_name(run_id: str) -> str:
    """The Helm release of a run: Kubernetes' names are lower case."""
    return f"golive-{run_id.lower()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFate:
    """What became of a pod. phase: Pending, Running, Succeeded, Failed, or Gone."""

    phase: str
    because: str = ""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come from it."""
        return self.phase in ("Succeeded", "Failed", "Gone")


# What a Job's status has once its controller has made a pod, or given up.
COUNTED = {"active", "succeeded", "failed", "conditions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteRun:
    """One run in one namespace."""

    api: Api
    namespace: str
    run_id: str

    @classmethod
    def find(cls, api: Api, namespace: str, called: str) -> RemoteRun:
        """The run of this id, or of its beginning; the only one for "". Raises RunNotThere."""
        known = run_ids(api, namespace)
        found = [run_id for run_id in known if run_id.startswith(called)]
        if len(found) == 1:
            return cls(api=api, namespace=namespace, run_id=found[0])
        what = f"{called!r} could be any of {', '.join(found)}" if found else f"no run {called!r} is there"
        raise RunNotThere(
            f"In namespace {namespace} of {api.context}: {what} (runs: {', '.join(known) or 'none'}).",
            remedy="Name a run's id; --namespace and --context say where to look.",
        )

    @property
    def release(self) -> str:
        """Its Helm release."""
        return release_name(self.run_id)

    def pods(self, role: str) -> list[Json]:
        """Its pods of a role: master or worker."""
        return self._of_role(f"/api/v1/namespaces/{self.namespace}/pods", role)

    def master(self) -> PodFate:
        """How the master's pod is. Pending, too, while its Job has not made it: that takes a controller its time."""
        pods = self.pods("master")
        if pods:
            return fate_of(pods[0])
        jobs = self._of_role(f"/apis/batch/v1/namespaces/{self.namespace}/jobs", "master")
        if any(not COUNTED & {key for key, value in job.get("status", {}).items() if value} for job in jobs):
            return PodFate(phase="Pending", because="its Job has not made it yet")
        return PodFate(phase="Gone", because="the master's pod is not there")

    def _of_role(self, path: str, role: str) -> list[Json]:
        found: list[Json] = self.api.get(path, labelSelector=f"{RUN_LABEL}={self.run_id},{ROLE_LABEL}={role}")["items"]
        return found

    def record(self) -> RecordClient:
        """Its record server, through a port-forward to the master's pod."""

        def connect() -> socket.socket:
            pods = self.pods("master")
            if not pods:
                raise ConnectionRefusedError("the master's pod is not there")
            return self.api.forward(self.namespace, pods[0]["metadata"]["name"], RECORD_PORT)

        return RecordClient(connect)

    def lease(self) -> TargetLease | None:
        """The Lease of its target, as its ConfigMap names it; None when that is gone."""
        path = f"/api/v1/namespaces/{self.namespace}/configmaps/{self.release}-plan"
        try:
            orders = PodOrders.from_json(self.api.get(path)["data"][ORDERS])
        except ApiNotFound:
            return None
        return TargetLease(api=self.api, namespace=orders.lease_namespace, name=orders.lease_name, holder=self.run_id)

    def end_workers(self) -> None:
        """Delete the workers' Job: the way to end the load that needs nobody's cooperation."""
        path = f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{self.release}-worker"
        self.api.delete(path, {"propagationPolicy": "Background"})


def run_ids(api: Api, namespace: str) -> list[str]:
    """The runs that have a Job or a pod in a namespace, oldest first: a lost master leaves its Job behind."""
    jobs = api.get(f"/apis/batch/v1/namespaces/{namespace}/jobs", labelSelector=MINE)["items"]
    pods = api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=MINE)["items"]
    labels = [found["metadata"]["labels"] for found in (*jobs, *pods)]
    return sorted({of[RUN_LABEL] for of in labels if RUN_LABEL in of})


def fate_of(pod: Json) -> PodFate:
    """A pod's phase, and in words why it waits or ended."""
    status = pod.get("status", {})
    words = [str(status[key]) for key in ("reason", "message") if status.get(key)]
    for condition in status.get("conditions", ()):
        if condition.get("status") == "False" and condition.get("reason") == "Unschedulable":
            words.append(f"unschedulable: {condition.get('message', '')}")
        if condition.get("type") == "DisruptionTarget" and condition.get("status") == "True":
            words.append(f"disrupted: {condition.get('reason', '')}")
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        ended = container.get("state", {}).get("terminated", {})
        if waiting.get("reason") and waiting["reason"] != "ContainerCreating":
            words.append(f"{waiting['reason']}: {waiting.get('message', '')}".rstrip(": "))
        if ended and ended.get("exitCode"):
            words.append(f"{ended.get('reason', 'ended')} (exit {ended['exitCode']})")
    if pod["metadata"].get("deletionTimestamp"):
        words.append("being deleted")
    return PodFate(phase=str(status.get("phase", "Pending")), because="; ".join(words))
