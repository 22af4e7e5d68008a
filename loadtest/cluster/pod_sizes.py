"""What each pod asks of a node that a rendered chart would start: CPU and memory, labels, tolerations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.cluster.quantity import Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class PodAsk:
    """One pod's requests and where it may go."""

    amount: Amount
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, Any], ...] = ()


def sizes_of(objects: Iterable[Mapping[str, Any]]) -> tuple[PodAsk, ...]:
    """One entry a pod of every Job (helm's test hooks are no part of a run)."""
    asked: list[PodAsk] = []
    for job in objects:
        if job.get("kind") != "Job" or "helm.sh/hook" in job["metadata"].get("annotations", {}):
            continue
        pod = job["spec"]["template"]["spec"]
        requests = [one.get("resources", {}).get("requests", {}) for one in pod["containers"]]
        one = PodAsk(
            amount=sum(map(Amount.of, requests), Amount()),
            node_selector=pod.get("nodeSelector") or {},
            tolerations=tuple(pod.get("tolerations") or ()),
        )
        asked += [one] * int(job["spec"].get("parallelism", 1))
    return tuple(asked)
