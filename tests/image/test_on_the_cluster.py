"""The image in a real pod, under the rules that Kubernetes calls restricted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cluster.access import Cluster

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
IMAGE = "localhost/golive:test"
LOADED = "import loadtest.lanes, os; print(os.getuid(), os.path.exists('/tmp'))"


def pod(name: str, **container: Any) -> dict[str, Any]:
    """A pod of the image that may do as little as can be forbidden. No user is set: it must be the image's own."""
    rights = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    image = {"name": "golive", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "securityContext": rights}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{**image, **container, "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}]}],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }


def logs_of(cluster: Cluster, namespace: str, described: dict[str, Any]) -> str:
    name = described["metadata"]["name"]
    described["metadata"]["namespace"] = namespace
    cluster.apply(described)
    of_this = ("--namespace", namespace)
    cluster.kubectl("wait", *of_this, f"pod/{name}", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=120s")
    return cluster.kubectl("logs", *of_this, name)


def test_it_runs_as_a_restricted_pod(cluster: Cluster, golive_image: Path) -> None:
    cluster.load_image(golive_image)
    with cluster.namespace("image", RESTRICTED) as namespace:
        assert "golive-pod worker" in logs_of(cluster, namespace, pod("entry", args=["--help"]))
        loaded = pod("engine", command=["python", "-c", LOADED])
        assert logs_of(cluster, namespace, loaded) == "10001 True\n"
