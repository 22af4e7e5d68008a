"""From a Kubernetes object to the line that the record keeps of it. Pure; times are unix seconds, null when unset."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from analysis.cluster.ports import Object

Line = dict[str, Any]
INDEX_LABELS = ("batch.kubernetes.io/job-completion-index",)
RUN, COMPONENT = "golive/run", "app.kubernetes.io/component"
POOL_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
LONGEST_MESSAGE = 400
METRIC_FORMS = ("averageUtilization", "averageValue", "value")
SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


def unix_s(time: object) -> float | None:
    """RFC 3339, with or without parts of a second."""
    try:
        return datetime.fromisoformat(str(time)).timestamp() if time else None
    except ValueError:
        return None


def hash_of(part: object) -> str:
    """A short name for a piece of configuration; the same content has the same one."""
    return hashlib.sha256(json.dumps(part, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def uid_of(thing: Object) -> str:
    """What distinguishes this object from an earlier one of the same name."""
    return str(_at(thing, "metadata").get("uid") or "")


def pod_line(pod: Object) -> Line:
    """Where a pod has come to in its life, and what became of its containers."""
    about, spec, status = _at(pod, "metadata"), _at(pod, "spec"), _at(pod, "status")
    labels, annotations = _at(about, "labels"), _at(about, "annotations")
    ended = last_termination(status.get("containerStatuses") or ())
    index = next((known[name] for name in INDEX_LABELS for known in (labels, annotations) if name in known), "")
    return {
        "uid": uid_of(pod),
        "namespace": about.get("namespace", ""),
        "name": about.get("name", ""),
        "owner": _owner(about, labels),
        "node": spec.get("nodeName", ""),
        "run": labels.get(RUN, ""),
        "component": labels.get(COMPONENT, "") if RUN in labels else "",
        "index": int(index) if str(index).isdigit() else None,
        "phase": status.get("phase", ""),
        "reason": status.get("reason", ""),
        "message": str(status.get("message", ""))[:LONGEST_MESSAGE],
        "created_unix_s": unix_s(about.get("creationTimestamp")),
        "scheduled_unix_s": _since(status, "PodScheduled"),
        "started_unix_s": _first_start(status),
        "ready_unix_s": _since(status, "Ready"),
        "ready": _condition(status, "Ready").get("status") == "True",
        "unschedulable": str(_condition(status, "PodScheduled", "False").get("message", ""))[:LONGEST_MESSAGE],
        "deletion_unix_s": _asked_to_go(about),
        "disruption": _disruption(status),
        "restarts": sum(int(one.get("restartCount") or 0) for one in status.get("containerStatuses") or ()),
        "ended": ended,
        "images": {one.get("name", ""): one.get("image", "") for one in status.get("containerStatuses") or ()},
        "digests": digests_of(pod),
    }


def digests_of(pod: Object) -> dict[str, str]:
    """What each container of a pod really runs: the digest that its node resolved the image to."""
    known = _at(pod, "status").get("containerStatuses") or ()
    return {one.get("name", ""): str(one["imageID"]).rpartition("@")[2] for one in known if one.get("imageID")}


def last_termination(containers: Iterable[Mapping[str, Any]]) -> Line | None:
    """How the container ended that ended last, in its present or its former life; None when none has."""
    ends = []
    for one in containers:
        for state in (_at(one, "state"), _at(one, "lastState")):
            gone = state.get("terminated")
            if gone:
                ends.append({
                    "container": one.get("name", ""), "reason": gone.get("reason", ""),
                    "exit_code": gone.get("exitCode"), "at_unix_s": unix_s(gone.get("finishedAt")),
                })  # fmt: skip
    return max(ends, key=lambda end: end["at_unix_s"] or 0.0, default=None)


def hpa_line(hpa: Object) -> Line:
    """What an HPA may, has and wants, why, and by which metrics."""
    about, spec, status = _at(hpa, "metadata"), _at(hpa, "spec"), _at(hpa, "status")
    return {
        "namespace": about.get("namespace", ""),
        "name": about.get("name", ""),
        "scales": f"{_at(spec, 'scaleTargetRef').get('kind', '')}/{_at(spec, 'scaleTargetRef').get('name', '')}",
        "spec": hash_of(spec),
        "min": int(spec.get("minReplicas") or 1),
        "max": int(spec.get("maxReplicas") or 0),
        "current": int(status.get("currentReplicas") or 0),
        "desired": int(status.get("desiredReplicas") or 0),
        "conditions": [
            {"type": one.get("type", ""), "status": one.get("status", ""), "reason": one.get("reason", ""),
             "message": str(one.get("message", ""))[:LONGEST_MESSAGE],
             "since_unix_s": unix_s(one.get("lastTransitionTime"))}
            for one in status.get("conditions") or ()
        ],
        "metrics": _metrics(spec.get("metrics") or (), status.get("currentMetrics") or ()),
        "last_scale_unix_s": unix_s(status.get("lastScaleTime")),
    }  # fmt: skip


def deployment_line(deployment: Object) -> Line:
    """How many replicas a Deployment has and how many serve, and which pod template they come from."""
    about, spec, status = _at(deployment, "metadata"), _at(deployment, "spec"), _at(deployment, "status")
    return {
        "namespace": about.get("namespace", ""),
        "name": about.get("name", ""),
        "template": hash_of(spec.get("template")),
        "wanted": int(spec.get("replicas") or 0),
        "replicas": int(status.get("replicas") or 0),
        "ready": int(status.get("readyReplicas") or 0),
        "updated": int(status.get("updatedReplicas") or 0),
    }


def event_line(event: Object) -> Line:
    """What somebody in the cluster said about an object, and how often."""
    about, series = _at(event, "involvedObject"), _at(event, "series")
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return {
        "uid": uid_of(event),
        "event_unix_s": unix_s(last or _at(event, "metadata").get("creationTimestamp")),
        "namespace": about.get("namespace", ""),
        "about": f"{about.get('kind', '')}/{about.get('name', '')}",
        "type": event.get("type", ""),
        "reason": event.get("reason", ""),
        "message": str(event.get("message", ""))[:LONGEST_MESSAGE],
        "count": int(series.get("count") or event.get("count") or 1),
        "by": event.get("reportingComponent") or _at(event, "source").get("component", ""),
    }


def node_line(node: Object) -> Line:
    """What a node is, and whether it takes pods."""
    about, spec, status = _at(node, "metadata"), _at(node, "spec"), _at(node, "status")
    pressed = [
        one.get("type", "") for one in status.get("conditions") or ()
        if one.get("type") != "Ready" and one.get("status") == "True"
    ]  # fmt: skip
    return {
        "name": about.get("name", ""),
        "pool": pool_of(node),
        "ready": _condition(status, "Ready").get("status") == "True",
        "cordoned": bool(spec.get("unschedulable")),
        "taints": [f"{one.get('key', '')}:{one.get('effect', '')}" for one in spec.get("taints") or ()],
        "pressed": pressed,
        "cpu": str(_at(status, "allocatable").get("cpu", "")),
        "memory": str(_at(status, "allocatable").get("memory", "")),
    }


def pool_of(node: Object) -> str:
    """What is alike of the nodes of one pool: machine, kernel, kubelet."""
    labels, system = _at(_at(node, "metadata"), "labels"), _at(_at(node, "status"), "nodeInfo")
    machine = next((labels[name] for name in POOL_LABELS if name in labels), "")
    told = f"kubelet {system.get('kubeletVersion', '?')}, kernel {system.get('kernelVersion', '?')}"
    return f"{machine}, {told}" if machine else told


def _at(thing: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = thing.get(name)
    return part if isinstance(part, Mapping) else {}


def _owner(about: Mapping[str, Any], labels: Mapping[str, Any]) -> str:
    """Deployment/core for a pod of its ReplicaSet core-5d8f, whose name ends in the template's own hash."""
    owners = about.get("ownerReferences") or ()
    owner = next((one for one in owners if one.get("controller")), None)
    if owner is None:
        return ""
    kind, name = str(owner.get("kind", "")), str(owner.get("name", ""))
    template = f"-{labels.get('pod-template-hash', '')}"
    if kind == "ReplicaSet" and len(template) > 1 and name.endswith(template):
        return f"Deployment/{name.removesuffix(template)}"
    return f"{kind}/{name}"


def _asked_to_go(about: Mapping[str, Any]) -> float | None:
    """When a pod was deleted: the API gives the end of its grace period."""
    ends_unix_s = unix_s(about.get("deletionTimestamp"))
    return None if ends_unix_s is None else ends_unix_s - float(about.get("deletionGracePeriodSeconds") or 0)


def _condition(status: Mapping[str, Any], kind: str, having: str = "") -> Mapping[str, Any]:
    for one in status.get("conditions") or ():
        if one.get("type") == kind and having in ("", one.get("status")):
            return one  # type: ignore[no-any-return]
    return {}


def _since(status: Mapping[str, Any], kind: str) -> float | None:
    """Since when a condition holds; None while it does not."""
    return unix_s(_condition(status, kind, "True").get("lastTransitionTime"))


def _first_start(status: Mapping[str, Any]) -> float | None:
    """When the first container began to run."""
    states = [_at(one, "state") for one in status.get("containerStatuses") or ()]
    starts = [
        unix_s(state[how].get("startedAt")) for state in states for how in ("running", "terminated") if how in state
    ]
    return min((at for at in starts if at is not None), default=None)


def _disruption(status: Mapping[str, Any]) -> Line | None:
    """Why the control plane takes a pod away (Kubernetes 1.26 and later); None when it does not."""
    one = _condition(status, "DisruptionTarget", "True")
    if not one:
        return None
    return {
        "reason": one.get("reason", ""),
        "message": str(one.get("message", ""))[:LONGEST_MESSAGE],
        "at_unix_s": unix_s(one.get("lastTransitionTime")),
    }


def _metrics(asked: Iterable[Mapping[str, Any]], seen: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Each metric of an HPA: its name, what it should be, and what it is (null while the controller cannot tell)."""
    known = {_metric_name(one): _at(_metric_part(one), "current") for one in seen}
    lines = []
    for one in asked:
        name, target = _metric_name(one), _at(_metric_part(one), "target")
        form = next((form for form in METRIC_FORMS if target.get(form) is not None), "")
        lines.append({"name": name, "target": _amount(target, form), "now": _amount(known.get(name, {}), form)})
    return lines


def _metric_name(metric: Mapping[str, Any]) -> str:
    part = _metric_part(metric)
    name = part.get("name") or _at(part, "metric").get("name") or "?"
    return f"{name} of {part['container']}" if "container" in part else str(name)


def _metric_part(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    kind = str(metric.get("type", ""))
    return _at(metric, kind[:1].lower() + kind[1:])


def _amount(value: Mapping[str, Any], form: str) -> float | None:
    """Utilization is in percent of what the pods request, all else in the metric's own unit."""
    return None if value.get(form) is None else quantity(str(value[form]))


def quantity(text: str) -> float | None:
    """A Kubernetes quantity: "250m", "1Gi", "1e3"; None for what is none."""
    number = text.rstrip("numkMGTPEi")
    try:
        return float(number) * SUFFIXES.get(text[len(number) :], 1.0)
    except ValueError:
        return None
