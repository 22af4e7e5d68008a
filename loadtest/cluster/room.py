"""Which node would take a pod: by taints, labels and what is free. What affinity adds is not modelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.cluster.pod_sizes import PodAsk
from loadtest.cluster.quantity import Amount

KEEPING_OUT = ("NoSchedule", "NoExecute")


@dataclass(slots=True, kw_only=True)
class Room:
    """A node and what is free on it."""

    node: Mapping[str, Any]
    free: Amount


def takes(node: Mapping[str, Any], pod: PodAsk) -> bool:
    """Whether a node is ready, open, tolerated and has the labels the pod asks for."""
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in node["status"].get("conditions", ()))
    labels = node["metadata"].get("labels", {})
    suits = all(labels.get(name) == value for name, value in pod.node_selector.items())
    taints = [taint for taint in node["spec"].get("taints", ()) if taint["effect"] in KEEPING_OUT]
    return ready and suits and not node["spec"].get("unschedulable") and all(_tolerated(taint, pod) for taint in taints)


def _tolerated(taint: Mapping[str, Any], pod: PodAsk) -> bool:
    """As the scheduler matches them (k8s.io/api core/v1 Toleration.ToleratesTaint)."""
    for one in pod.tolerations:
        effect_fits = one.get("effect", "") in ("", taint["effect"])
        key_fits = one.get("key", "") in ("", taint["key"])
        exists = one.get("operator", "Equal") == "Exists"
        if effect_fits and key_fits and (exists or one.get("value", "") == taint.get("value", "")):
            return True
    return False


def unplaced(rooms: list[Room], pods: tuple[PodAsk, ...]) -> Iterator[PodAsk]:
    """The pods that find no node, largest first, each on the node where the most is free: as the scheduler spreads."""
    for pod in sorted(pods, key=lambda one: (one.amount.cpu_cores, one.amount.memory_bytes), reverse=True):
        fits = [room for room in rooms if room.free.holds(pod.amount) and takes(room.node, pod)]
        if not fits:
            yield pod
            continue
        roomiest = max(fits, key=lambda room: (room.free.cpu_cores, room.free.memory_bytes))
        roomiest.free = roomiest.free - pod.amount
