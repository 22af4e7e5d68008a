"""How much CPU and memory each pod asks for that a rendered chart would start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from loadtest.cluster.quantity import Amount


def sizes_of(objects: Iterable[Mapping[str, Any]]) -> tuple[Amount, ...]:
    """One amount a pod of every Job (its requests; helm's test hooks are no part of a run)."""
    sizes: list[Amount] = []
    for job in objects:
        if job.get("kind") != "Job" or "helm.sh/hook" in job["metadata"].get("annotations", {}):
            continue
        containers = job["spec"]["template"]["spec"]["containers"]
        pod = sum((Amount.of(one.get("resources", {}).get("requests", {})) for one in containers), Amount())
        sizes += [pod] * int(job["spec"].get("parallelism", 1))
    return tuple(sizes)
