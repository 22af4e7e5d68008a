"""The course of one HPA as Kubernetes told it: readings as series, conditions as stretches, replicas from the pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.autoscaling.conditions import State, stretches
from analysis.autoscaling.legs import Course, Steps
from analysis.cluster.record import ClusterRecord, PodLife, Reading
from slo.evidence import Condition

Floats = NDArray[np.float64]
LIMITED, MAXED_OUT = "ScalingLimited", "TooManyReplicas"
STEERING = ("ScalingActive", "AbleToScale")


def desired_of(readings: tuple[Reading, ...]) -> Steps:
    """What it wanted at each look. Before its first decision an HPA tells 0: it lets be what there is."""
    wanted = [float(one.told["desired"] or one.told["current"]) for one in readings]
    return Steps(at_unix_s=_at(readings), values=np.array(wanted, dtype=np.float64))


def course_of(name: str, cluster: ClusterRecord) -> Course | None:
    """Everything that is known of one HPA's replicas; None when nobody saw what it scales."""
    readings = cluster.hpas[name]
    scales = str(readings[-1].told["scales"])
    pods = [pod for pod in cluster.platform_pods() if pod.owner == scales]
    counted, told = _counted(pods), _told(scales, cluster)
    ready = told.get("ready") or counted.get("ready")
    if ready is None:
        return None
    return Course(
        desired=_decided(desired_of(readings), told.get("wanted")),
        ready=ready,
        replicas=told.get("replicas") or counted.get("created"),
        scheduled=counted.get("scheduled"),
        metric_ratio=_metric_ratio(readings),
    )


def conditions_of(readings: tuple[Reading, ...], look_every_s: float) -> tuple[Condition, ...]:
    """Each of its conditions, with its reason, for as long as it stood.

    While it cannot steer, ScalingLimited says only what was before, and is left out.
    """
    told = _states_at(readings)
    kinds = dict.fromkeys(kind for states in {id(one): one for one in told}.values() for kind in states)
    return tuple(
        one
        for kind in kinds
        for one in stretches(kind, _at(readings), [states.get(kind) for states in told], 3 * look_every_s)
    )


def wanted_more(readings: tuple[Reading, ...]) -> NDArray[np.bool_]:
    """When it was at its maximum and wanted more, and could steer."""
    limited = [states.get(LIMITED) for states in _states_at(readings)]
    return np.array([bool(one and one.holds and one.reason == MAXED_OUT) for one in limited], dtype=np.bool_)


def _states(conditions: Sequence[Mapping[str, str]]) -> dict[str, State]:
    states = {
        one["type"]: State(holds=one["status"] == "True", reason=one["reason"], message=one["message"])
        for one in conditions
    }
    if any(kind in states and not states[kind].holds for kind in STEERING):
        states.pop(LIMITED, None)
    return states


def _states_at(readings: tuple[Reading, ...]) -> list[dict[str, State]]:
    """The states at each look. Conditions that did not change are the same list, and are read once."""
    known: dict[int, dict[str, State]] = {}
    for reading in readings:
        conditions = reading.told["conditions"]
        if id(conditions) not in known:
            known[id(conditions)] = _states(conditions)
    return [known[id(reading.told["conditions"])] for reading in readings]


def _metric_ratio(readings: tuple[Reading, ...]) -> Steps:
    ratios = [_ratio(one.told["metrics"]) for one in readings]
    known = [place for place, ratio in enumerate(ratios) if ratio is not None]
    at_unix_s = _at(readings)[known]
    return Steps(at_unix_s=at_unix_s, values=np.array([ratios[place] for place in known], dtype=np.float64))


def _ratio(metrics: Iterable[Mapping[str, float | None]]) -> float | None:
    """How far the metric that asks for most is over its target; None while none is known."""
    known = [float(one["now"]) / float(one["target"]) for one in metrics if one["now"] is not None and one["target"]]
    return max(known, default=None)


def _decided(desired: Steps, wanted: Steps | None) -> Steps:
    """The HPA's own word at the instant at which it wrote it to what it scales, where a watch saw that.

    A look is up to its spacing late; the Deployment's `spec.replicas` changes in the same moment, and is watched.
    """
    if wanted is None:
        return desired
    at_unix_s = desired.at_unix_s.copy()
    for place in np.flatnonzero(np.diff(desired.values)) + 1:
        between = (wanted.at_unix_s > at_unix_s[place - 1]) & (wanted.at_unix_s <= at_unix_s[place])
        same = np.flatnonzero(between & (wanted.values == desired.values[place]))
        if len(same):
            at_unix_s[place] = wanted.at_unix_s[same[0]]
    return Steps(at_unix_s=at_unix_s, values=desired.values)


def _told(scales: str, cluster: ClusterRecord) -> dict[str, Steps]:
    """What a Deployment says of its replicas."""
    kind, _, name = scales.partition("/")
    lines = [line for line in cluster.deployments.get(name, ()) if not line.get("gone")] if kind == "Deployment" else []
    if not lines:
        return {}
    at_unix_s = np.array([float(line["at_unix_s"]) for line in lines])
    return {
        what: Steps(at_unix_s=at_unix_s, values=np.array([float(line[what]) for line in lines]))
        for what in ("wanted", "replicas", "ready")
    }


def _counted(pods: list[PodLife]) -> dict[str, Steps]:
    """How many pods there were, had a node, and served."""
    if not pods:
        return {}
    changes: dict[str, list[tuple[float, int]]] = {"created": [], "scheduled": [], "ready": []}
    for pod in pods:
        ends = [(pod.gone_unix_s, -1)] if pod.gone_unix_s is not None else []
        changes["created"] += [(pod.created_unix_s, 1), *ends]
        if pod.scheduled_unix_s is not None:
            changes["scheduled"] += [(pod.scheduled_unix_s, 1), *ends]
        changes["ready"] += _served(pod)
    return {what: _added_up(told) for what, told in changes.items() if told}


def _served(pod: PodLife) -> list[tuple[float, int]]:
    """When it began and ended to serve; one that is being deleted serves no more."""
    gone_unix_s = float("inf") if pod.gone_unix_s is None else pod.gone_unix_s
    served = [(at, 1 if ready else -1) for at, ready in pod.readiness if at < gone_unix_s]
    return [*served, (gone_unix_s, -1)] if served and served[-1][1] == 1 and gone_unix_s < float("inf") else served


def _added_up(changes: list[tuple[float, int]]) -> Steps:
    ordered = sorted(changes)
    return Steps(
        at_unix_s=np.array([at for at, _ in ordered], dtype=np.float64),
        values=np.cumsum([change for _, change in ordered]).astype(np.float64),
    )


def _at(readings: tuple[Reading, ...]) -> Floats:
    return np.array([one.at_unix_s for one in readings], dtype=np.float64)
