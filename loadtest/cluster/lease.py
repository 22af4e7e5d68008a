"""One run at a time on a target: a coordination.k8s.io Lease that the launcher takes and the master keeps."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from loadtest.cluster.errors import ApiConflict, ApiNotFound
from loadtest.cluster.ports import Json, Objects
from scenarios.errors import PreflightFailed
from scenarios.target import Target
from scenarios.target_list import PORTS

STARTING_S = 300  # from the launcher's taking until the master's first renewal: pods pulled, workers met
KEPT_S = 60  # the master renews every KEPT_S / 4
PATH = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def lease_name(target: Target) -> str:
    """The Lease of a target: by where its load goes, so that another name for it makes no second one."""
    parts = urlsplit(target.url)
    origin = f"{parts.scheme}://{(parts.hostname or '').lower()}:{parts.port or PORTS[parts.scheme]}"
    return "golive-" + hashlib.sha256(origin.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetLease:
    """The right to drive one target, held by one run."""

    api: Objects
    namespace: str
    name: str
    holder: str  # the run's id

    def take(self, *, for_s: int = STARTING_S) -> None:
        """Take it, from nobody or from a run that let it lapse; PreflightFailed while another run holds it."""
        try:
            self.api.create(self._collection, self._body(for_s))
        except ApiConflict:
            self._take_over(self.api.get(self._path), for_s)

    def _take_over(self, found: Json, for_s: int) -> None:
        holder, left_s = _holder(found), _left_s(found)
        if holder not in ("", self.holder) and left_s > 0:
            raise PreflightFailed(
                f"Run {holder} drives this target already (its Lease {self.namespace}/{self.name} holds for another "
                f"{left_s:.0f} s unless it is renewed).",
                remedy=f"Wait for it, or end it: golive stop {holder}. If that run is no more: "
                f"kubectl delete lease -n {self.namespace} {self.name}",
            )
        self._replace(found, for_s)

    def renew(self) -> None:
        """Hold it for another while; ApiRefused or ApiUnreachable when that fails (the next renewal may not).

        Raises PreflightFailed when it is another run's by now.
        """
        found = self.api.get(self._path)
        if _holder(found) != self.holder:
            raise PreflightFailed(
                f"The Lease of this target is held by run {_holder(found) or 'nobody'} now.",
                remedy="Two runs on one target disturb each other: end one of them.",
            )
        self._replace(found, KEPT_S)

    def release(self) -> None:
        """Give it back, if it is still ours."""
        try:
            found = self.api.get(self._path)
        except ApiNotFound:
            return
        if _holder(found) == self.holder:
            # Bound to what was read: a Lease that another run took in between is not ours to delete.
            version = found["metadata"]["resourceVersion"]
            self.api.delete(self._path, {"preconditions": {"resourceVersion": version}})

    def _replace(self, found: Json, for_s: int) -> None:
        body = self._body(for_s)
        body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        try:
            self.api.replace(self._path, body)
        except ApiConflict:
            raise PreflightFailed(
                "Another run took this target's Lease at the same moment.", remedy="Run again when it has ended."
            ) from None

    @property
    def _collection(self) -> str:
        return PATH.format(namespace=self.namespace)

    @property
    def _path(self) -> str:
        return f"{self._collection}/{self.name}"

    def _body(self, for_s: int) -> Json:
        now = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "labels": {"app.kubernetes.io/name": "golive"}},
            "spec": {
                "holderIdentity": self.holder, "acquireTime": now, "renewTime": now, "leaseDurationSeconds": for_s,
            },
        }  # fmt: skip


def _holder(found: Json) -> str:
    return str(found["spec"].get("holderIdentity") or "")


def _left_s(found: Json) -> float:
    """How long it holds without a renewal; by this machine's clock, which may be off by what clocks are off."""
    spec = found["spec"]
    renewed = spec.get("renewTime") or spec.get("acquireTime")
    if not renewed:
        return 0.0
    at_unix_s = datetime.fromisoformat(renewed.replace("Z", "+00:00")).timestamp()
    return at_unix_s + float(spec.get("leaseDurationSeconds") or 0) - time.time()
