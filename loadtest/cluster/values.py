"""The chart's values for one run: what golive computes; images, sizes and schedules are the user's own values files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.cluster.orders import PodOrders, PortablePlan
from scenarios.engine_plan import secret_variables
from scenarios.plan import Plan

DRAIN_GRACE_S = 10
START_MARGIN_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Egress:
    """Lists of NetworkPolicyEgressRule."""

    target: Sequence[Mapping[str, Any]]
    prometheus: Sequence[Mapping[str, Any]]
    api_server: Sequence[Mapping[str, Any]]
    dns: Sequence[Mapping[str, Any]]  # a list of NetworkPolicyPeer


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """Where the image is; "" leaves the chart's own value."""

    reference: str = ""

    def values(self) -> dict[str, str]:
        """repository, tag and digest of `registry:5000/name:tag@sha256:…`."""
        if not self.reference:
            return {}
        name, _, digest = self.reference.partition("@")
        slash = name.rfind("/")
        colon = name.rfind(":")
        repository, tag = (name[:colon], name[colon + 1 :]) if colon > slash else (name, "")
        found = {"repository": repository, "tag": tag, "digest": digest}
        return {key: value for key, value in found.items() if value or key != "repository"}


def values_for(
    plan: Plan, carried: PortablePlan, orders: PodOrders, *, egress: Egress, image: Image, secret: str
) -> dict[str, Any]:
    """Everything about one run that the chart must be told.

    secret: the name of the Secret that holds the login's environment variables, by their own names; "" for none.
    """
    target_namespaces = [plan.target.namespace] if plan.target.namespace else []
    return {
        "image": image.values(),
        "run": {
            "id": orders.run_id,
            "target": plan.target.name,
            "plan": carried.text,
            "orders": orders.to_json(),
            "files": dict(carried.files),
            "deadlineSeconds": deadline_s(plan, orders),
            "ttlSecondsAfterFinished": int(orders.keep_for_s),
        },
        "workers": {
            "count": plan.workers,
            "terminationGracePeriodSeconds": int(plan.workload.longest_timeout_s) + DRAIN_GRACE_S,
        },
        "secretEnv": [{"name": name, "secretName": secret, "key": name} for name in secret_variables(plan) if secret],
        "rbac": {
            "targetNamespaces": target_namespaces,
            "lease": {"namespace": orders.lease_namespace, "name": orders.lease_name},
        },
        "antiAffinity": {"namespaces": target_namespaces},
        "networkPolicy": {
            "targetEgress": list(egress.target),
            "prometheusEgress": list(egress.prometheus),
            "apiServerEgress": list(egress.api_server),
            "dns": {"to": list(egress.dns)},
        },
    }


def deadline_s(plan: Plan, orders: PodOrders) -> int:
    """After so long the workers are ended whatever happens: waiting for them, the load, its tail, and some."""
    return int(orders.connect_within_s + plan.longest_s + plan.workload.longest_timeout_s + START_MARGIN_S)
