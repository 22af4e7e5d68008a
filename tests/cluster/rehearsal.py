"""The rehearsal platform on the cluster: a real Deployment behind a real Service, scaled by a real HPA."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import yaml

from loadtest.rehearsal.binaries import rehearsal_platform
from tests.cluster.access import Cluster
from tests.cluster.artefacts.images import PLATFORM, make_platform
from tests.cluster.patience import eventually
from tests.cluster.places import REPOSITORY

CONFIGURATION = REPOSITORY / "scenarios" / "rehearsals" / "cluster.yaml"
NAMESPACE = "tartware-system"
NAME = "api-gateway"
PORT, ADMIN_PORT = 8080, 9100
LABEL = {"golive/rehearsal": "true"}
POD_RPS = 530  # what one pod does at most, by cluster.yaml
REQUESTS_METRIC = "http_requests_per_second"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByCpu:
    """Scale by CPU, as metrics-server tells it."""

    utilization_ratio: float = 0.5
    kind: Literal["cpu"] = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRequests:
    """Scale by http_requests_per_second of the pods, as the custom metrics API tells it."""

    per_pod_rps: int = 300
    kind: Literal["requests"] = "requests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How it is deployed."""

    hpa: ByCpu | ByRequests | None = ByRequests()
    min_replicas: int = 1
    max_replicas: int = 6
    ready_after_s: int = 0
    cpu_request_millicores: int = 50  # about twice what 250 requests/s cost
    behavior: Mapping[str, object] | None = None  # as spec.behavior of an HPA manifest
    changes: Mapping[str, object] | None = None  # whole keys of cluster.yaml, replaced


def deploy_platform(cluster: Cluster, namespace: str = NAMESPACE, platform: Platform | None = None) -> str:
    """Have it there, ready; its URL, the same in the cluster and on the host's side of the cable."""
    platform = platform or Platform()
    load_platform_image(cluster)
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": LABEL}})
    cluster.apply(*manifests(namespace, platform))
    cluster.kubectl("-n", namespace, "rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    eventually(lambda: ready_replicas(cluster, namespace), lambda ready: ready >= platform.min_replicas)
    address = cluster.kubectl("-n", namespace, "get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}")
    url = f"http://{address}:{PORT}"
    eventually(lambda: health(url), lambda status: status == 200)  # ready pods come before the Service's rules
    return url


def health(url: str) -> int:
    """The status of its readiness endpoint; OSError where nothing answers."""
    with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
        return int(answer.status)


def ready_replicas(cluster: Cluster, namespace: str) -> int:
    """How many of its pods are ready now."""
    said = cluster.kubectl("-n", namespace, "get", f"deployment/{NAME}", "-o", "jsonpath={.status.readyReplicas}")
    return int(said or 0)


def load_platform_image(cluster: Cluster) -> None:
    """Have the image of the program that `make setup` built on the node."""
    program = rehearsal_platform()
    digest = hashlib.sha256(program.read_bytes()).hexdigest()[:12]
    archive = cluster.places.cache / f"golive-platform-{digest}.tar"
    mark = cluster.places.run / f"loaded-{archive.stem}"
    if mark.exists():
        return
    if not archive.exists():
        for old in cluster.places.cache.glob("golive-platform-*.tar"):
            old.unlink()
        make_platform(program, archive)
    cluster.load_image(archive)
    mark.touch()


def manifests(namespace: str, platform: Platform) -> list[dict[str, Any]]:
    """All objects of it, without the namespace."""
    objects = [
        _object("v1", "Secret", "rehearsal-tokens", {"stringData": {"secret": f"of {namespace}"}}),
        _object(
            "v1", "ConfigMap", "rehearsal", {"data": {"platform.json": json.dumps(_configuration(namespace, platform))}}
        ),
        _service(),
        _deployment(platform),
        *([_hpa(platform, platform.hpa)] if platform.hpa else []),
    ]
    for each in objects:
        each["metadata"]["namespace"] = namespace
    return objects


def _configuration(namespace: str, platform: Platform) -> dict[str, Any]:
    written: dict[str, Any] = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    return {**written, "namespace": namespace, **(platform.changes or {})}


def _object(api: str, kind: str, name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}, **content}


def _service() -> dict[str, Any]:
    spec = {"selector": {"app": NAME}, "ports": [{"name": "http", "port": PORT, "targetPort": "http"}]}
    return _object("v1", "Service", NAME, {"spec": spec})


def _deployment(platform: Platform) -> dict[str, Any]:
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": str(ADMIN_PORT)}
    pod = {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 10,
        "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(platform)],
        "volumes": [{"name": "configuration", "configMap": {"name": "rehearsal"}}],
    }
    spec = {
        "replicas": platform.min_replicas,
        "selector": {"matchLabels": {"app": NAME}},
        "template": {"metadata": {"labels": {"app": NAME}, "annotations": annotations}, "spec": pod},
    }
    if platform.hpa:
        del spec["replicas"]  # the autoscaler's, or each apply would set it back
    return _object("apps/v1", "Deployment", NAME, {"spec": spec})


def _container(platform: Platform) -> dict[str, Any]:
    arguments = (
        "--config",
        "/etc/rehearsal/platform.json",
        "--listen",
        f"0.0.0.0:{PORT}",
        "--admin",
        f"0.0.0.0:{ADMIN_PORT}",
    )
    secret = {"secretKeyRef": {"name": "rehearsal-tokens", "key": "secret"}}
    return {
        "name": "platform",
        "image": PLATFORM,
        "imagePullPolicy": "IfNotPresent",
        "args": list(arguments),
        "env": [{"name": "TOKEN_SECRET", "valueFrom": secret}],
        "ports": [{"name": "http", "containerPort": PORT}, {"name": "admin", "containerPort": ADMIN_PORT}],
        # A saturated pod answers many a probe with 503 and is in service all the same; a dead one is not for long.
        "readinessProbe": {
            "httpGet": {"path": "/health", "port": "http"},
            "initialDelaySeconds": platform.ready_after_s,
            "periodSeconds": 1,
            "timeoutSeconds": 2,
            "failureThreshold": 15,
        },
        "resources": {
            "requests": {"cpu": f"{platform.cpu_request_millicores}m", "memory": "32Mi"},
            "limits": {"memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/rehearsal"}],
    }


def _hpa(platform: Platform, by: ByCpu | ByRequests) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": platform.min_replicas,
        "maxReplicas": platform.max_replicas,
        "metrics": [_metric(by)],
    }
    if platform.behavior:
        spec["behavior"] = dict(platform.behavior)
    return _object("autoscaling/v2", "HorizontalPodAutoscaler", NAME, {"spec": spec})


def _metric(by: ByCpu | ByRequests) -> dict[str, Any]:
    match by:
        case ByCpu():
            target = {"type": "Utilization", "averageUtilization": round(by.utilization_ratio * 100)}
            return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
        case ByRequests():
            target = {"type": "AverageValue", "averageValue": str(by.per_pod_rps)}
            return {"type": "Pods", "pods": {"metric": {"name": REQUESTS_METRIC}, "target": target}}
        case _:
            assert_never(by)
