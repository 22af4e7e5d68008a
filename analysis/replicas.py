"""What each HPA wanted and had over the run, and how deep each queue of accepted work was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.autoscaling.conditions import State, stretches
from analysis.autoscaling.legs import Course, LoadRise, Steps, scale_ups
from analysis.counters import Instants
from analysis.evidence_files import Pulled, read_answer
from analysis.ports import Series
from slo.evidence import AutoscalerSeries, BacklogSeries, Condition, NotSeen

HPA = "horizontalpodautoscaler"
TRUE, FALSE = State(holds=True), State(holds=False)
MOST_APART_STEPS = 3  # between two samples that lie further apart no condition is claimed
MAXED_OUT = "TooManyReplicas"  # the ScalingLimited reason that means: it wanted more than it may have


def backlog_series(evidence: Path, since_unix_s: float) -> tuple[BacklogSeries, ...] | NotSeen:
    """The depth of each queue from an instant on."""
    answer = read_answer(evidence, "backlog")
    if isinstance(answer, NotSeen):
        return answer
    if not answer.series:
        return NotSeen(f"{answer.asked.server} knows no series for {answer.asked.query}")
    return tuple(backlog_of(series, answer.source, since_unix_s) for series in answer.series)


def backlog_of(series: Series, source: str, since_unix_s: float) -> BacklogSeries:
    """One queue's depth from an instant on."""
    kept = (series.at_unix_s >= since_unix_s) & ~np.isnan(series.values)
    labels = {label: value for label, value in series.labels.items() if label != "__name__"}
    queue = labels.get("queue") if len(labels) == 1 else None
    return BacklogSeries(
        queue=queue or ", ".join(f"{label}={value}" for label, value in sorted(labels.items())) or "backlog",
        source=source,
        at_unix_s=series.at_unix_s[kept],
        depth=series.values[kept],
    )


def autoscaler_series(evidence: Path, rises: tuple[LoadRise, ...] = ()) -> tuple[AutoscalerSeries, ...] | NotSeen:
    """Every HPA of the target. NotSeen when there is none, or when one of them cannot be told whole.

    rises: when the load rose, for how long each scale-up took.
    """
    answers = {name: read_answer(evidence, name) for name in ("hpa_desired", "hpa_min", "hpa_max", "deployment_ready")}
    pulled: dict[str, Pulled] = {}
    for name, answer in answers.items():
        if isinstance(answer, NotSeen):
            return NotSeen(f"{name.replace('_', ' ')}: {answer.because}")
        pulled[name] = answer
    desired = pulled["hpa_desired"]
    if not desired.series:
        return NotSeen(f"{desired.asked.server} knows no HPA ({desired.asked.query} has no series)")
    told = [_autoscaler(evidence, series, pulled, rises) for series in desired.series]
    untold = [name for name in told if isinstance(name, str)]
    if untold:
        return NotSeen(f"replicas or limits of {', '.join(untold)} are not exported")
    return tuple(sorted((one for one in told if isinstance(one, AutoscalerSeries)), key=lambda one: one.name))


def _autoscaler(
    evidence: Path, desired: Series, pulled: Mapping[str, Pulled], rises: tuple[LoadRise, ...]
) -> AutoscalerSeries | str:
    """One HPA, or its name when something of it is not known."""
    labels = {label: desired.labels.get(label, "") for label in (HPA, "namespace")}
    low, high = _matching(pulled["hpa_min"], labels), _matching(pulled["hpa_max"], labels)
    owner = _owner(evidence, labels)
    ready = _matching(pulled["deployment_ready"], {"deployment": owner, "namespace": labels["namespace"]})
    if low is None or high is None or ready is None:
        return labels[HPA]
    at_unix_s = desired.at_unix_s[desired.at_unix_s >= ready.at_unix_s[0]]
    wanted = last_known(desired, at_unix_s)
    at_max = wanted >= last_known(high, at_unix_s)
    course = Course(
        desired=Steps(at_unix_s=desired.at_unix_s, values=desired.values),
        ready=Steps(at_unix_s=ready.at_unix_s, values=ready.values),
        replicas=_replicas(evidence, {"deployment": owner, "namespace": labels["namespace"]}),
        metric_ratio=metric_ratio(evidence, labels),
    )
    return AutoscalerSeries(
        name=labels[HPA],
        source=pulled["hpa_desired"].source,
        at_unix_s=at_unix_s,
        desired=wanted,
        ready=last_known(ready, at_unix_s),
        min_replicas=int(low.values[-1]),
        max_replicas=int(high.values[-1]),
        wanted_more=_maxed_out(evidence, labels, at_unix_s, at_max),
        conditions=_conditions(evidence, labels),
        scale_ups=scale_ups(course, rises),
    )


def _replicas(evidence: Path, labels: Mapping[str, str]) -> Steps | None:
    """How many pods there were, whether they served or not."""
    answer = read_answer(evidence, "deployment_replicas")
    line = None if isinstance(answer, NotSeen) else _matching(answer, labels)
    return Steps(at_unix_s=line.at_unix_s, values=line.values) if line else None


def metric_ratio(evidence: Path, labels: Mapping[str, str]) -> Steps | None:
    """How far the metric that asks for most was over its target; None where kube-state-metrics does not tell."""
    seen, asked = read_answer(evidence, "hpa_metric"), read_answer(evidence, "hpa_metric_target")
    if isinstance(seen, NotSeen) or isinstance(asked, NotSeen):
        return None
    ratios: list[Series] = []
    for target in asked.series:
        same = {name: target.labels.get(name, "") for name in (HPA, "namespace", "metric_name", "metric_target_type")}
        now = _matching(seen, same)
        if now and len(target.values) and target.values[-1] > 0 and _matches(target, labels):
            ratios.append(Series(labels={}, at_unix_s=now.at_unix_s, values=now.values / target.values[-1]))
    if not ratios:
        return None
    at_unix_s = ratios[0].at_unix_s
    return Steps(at_unix_s=at_unix_s, values=np.max([last_known(one, at_unix_s) for one in ratios], axis=0))


def _conditions(evidence: Path, labels: Mapping[str, str]) -> tuple[Condition, ...]:
    """Each condition for as long as it stood; kube-state-metrics knows no reasons."""
    answer = read_answer(evidence, "hpa_condition")
    if isinstance(answer, NotSeen):
        return ()
    return tuple(
        one
        for series in answer.series
        if _matches(series, labels) and len(series.values)
        for one in stretches(
            series.labels.get("condition", "?"),
            series.at_unix_s,
            [TRUE if value == 1 else FALSE for value in series.values],
            MOST_APART_STEPS * answer.asked.step_s,
        )
    )


def _owner(evidence: Path, labels: Mapping[str, str]) -> str:
    """The Deployment that an HPA scales; by its own name where nobody says otherwise."""
    info = read_answer(evidence, "hpa_info")
    line = None if isinstance(info, NotSeen) else _matching(info, labels)
    return (line.labels.get("scaletargetref_name", "") if line else "") or labels[HPA]


def _maxed_out(
    evidence: Path, labels: Mapping[str, str], at_unix_s: Instants, at_max: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """When the HPA said that it wanted more than its maximum.

    kube-state-metrics has the ScalingLimited condition without its reason, so it counts only at the maximum; the
    rehearsal exports the reason as well.
    """
    reasons = read_answer(evidence, "hpa_reason")
    if not isinstance(reasons, NotSeen) and any(series.labels.get(HPA) == labels[HPA] for series in reasons.series):
        line = _matching(reasons, {HPA: labels[HPA], "condition": "ScalingLimited", "reason": MAXED_OUT})
        return _holds(line, at_unix_s)
    conditions = read_answer(evidence, "hpa_condition")
    line = None if isinstance(conditions, NotSeen) else _matching(conditions, {**labels, "condition": "ScalingLimited"})
    return _holds(line, at_unix_s) & at_max


def _holds(line: Series | None, at_unix_s: Instants) -> NDArray[np.bool_]:
    """Whether a 0/1 series is 1 at these instants; a step that it has no value for is a no."""
    if line is None:
        return np.zeros(len(at_unix_s), dtype=np.bool_)
    return np.isin(at_unix_s, line.at_unix_s[line.values == 1])


def _matching(answer: Pulled, labels: Mapping[str, str]) -> Series | None:
    return next((series for series in answer.series if len(series.values) and _matches(series, labels)), None)


def _matches(series: Series, labels: Mapping[str, str]) -> bool:
    return all(series.labels.get(name, "") == value for name, value in labels.items())


def last_known(series: Series, at_unix_s: Instants) -> NDArray[np.float64]:
    """The newest value at or before each instant; NaN before the first."""
    index = np.searchsorted(series.at_unix_s, at_unix_s, side="right") - 1
    return np.where(index >= 0, series.values[np.maximum(index, 0)], np.nan)
