"""Which pod this process is, by what Kubernetes puts into its environment (downward API, Indexed Job)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INDEX, POD, POD_UID, NODE = "JOB_COMPLETION_INDEX", "GOLIVE_POD_NAME", "GOLIVE_POD_UID", "GOLIVE_NODE_NAME"


def identity_of_this_pod(environment: Mapping[str, str]) -> dict[str, Any]:
    """index, pod, pod_uid and node of a pod of an Indexed Job; empty for a process that is none."""
    index = environment.get(INDEX, "")
    if not index.isdigit():
        return {}
    pod, pod_uid, node = (environment.get(name, "") for name in (POD, POD_UID, NODE))
    return {"index": int(index), "pod": pod, "pod_uid": pod_uid, "node": node}
