"""Small pods of the tests' own image: one that answers, and questions asked by pods that end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster.access import Cluster
from tests.cluster.artefacts.images import PROBE


def pod_spec(*words: str) -> dict[str, Any]:
    """A pod that runs the probe with these words."""
    container = {"name": "probe", "image": PROBE, "imagePullPolicy": "Never", "args": list(words)}
    return {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}


def start_pod(
    cluster: Cluster, namespace: str, name: str, *words: str, labels: Mapping[str, str] | None = None
) -> None:
    """Start it and wait until it runs."""
    about = {"name": name, "namespace": namespace, "labels": {"app": name, **(labels or {})}}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": pod_spec(*words)})
    cluster.kubectl("-n", namespace, "wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")


def asked_from(cluster: Cluster, namespace: str, pod: str, *words: str) -> str:
    """What the probe says inside a running pod; HarnessError when the answer is no."""
    return cluster.kubectl("-n", namespace, "exec", pod, "--", "/probe", *words).strip()
