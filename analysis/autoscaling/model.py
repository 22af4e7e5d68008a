"""The HPA v2 algorithm: from one reading of the metrics to a number of replicas and the conditions that explain it.

Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details; the order of the steps (ratio and
tolerance, stabilization, rate limits, bounds) is the controller's. Pure: time comes as an argument.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from analysis.autoscaling.behaviour import Behaviour, ScaleEvent, down_limit, up_limit

TOLERANCE_RATIO = 0.1  # --horizontal-pod-autoscaler-tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """What an HPA was told to do."""

    min_replicas: int
    max_replicas: int
    target: float  # of the metric's mean over the ready pods
    behaviour: Behaviour = field(default_factory=Behaviour)
    tolerance_ratio: float = TOLERANCE_RATIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the metrics API says: the mean over the ready pods, or None when it says nothing."""

    metric: float | None
    ready: int
    unready: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the controller remembers between two looks."""

    desired: int
    recommendations: tuple[tuple[float, int], ...] = ()  # (instant, replicas)
    events: tuple[ScaleEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `status.conditions`."""

    kind: str
    holds: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many replicas from now on, and why."""

    desired: int
    conditions: tuple[Condition, ...]


def step(autoscaler: Autoscaler, state: State, reading: Reading, *, now_s: float) -> tuple[Decision, State]:
    """One look of the controller."""
    if reading.metric is None:
        return _blind(state), state
    wanted = recommend(autoscaler, state.desired, reading)
    recommendations = (*state.recommendations, (now_s, wanted))
    stable, able = _stabilized(autoscaler.behaviour, state.desired, recommendations, now_s)
    desired, limited = _limited(autoscaler, state, stable, now_s)
    conditions = (able, Condition(kind="ScalingActive", holds=True, reason="ValidMetricFound"), limited)
    return Decision(desired=desired, conditions=conditions), _after(autoscaler, state, recommendations, desired, now_s)


def recommend(autoscaler: Autoscaler, current: int, reading: Reading) -> int:
    """Replicas by the metric alone: ceil(ready × metric / target), unless within tolerance.

    Pods that are not ready yet count as idle when scaling up, so that pods on their way are not ordered twice.
    """
    if reading.metric is None or reading.ready == 0:
        return current
    ratio = reading.metric / autoscaler.target
    if abs(ratio - 1.0) <= autoscaler.tolerance_ratio:
        return current
    if ratio < 1.0 or reading.unready == 0:
        return math.ceil(round(ratio * reading.ready, 9))
    pods = reading.ready + reading.unready
    damped = ratio * reading.ready / pods
    if damped <= 1.0 + autoscaler.tolerance_ratio:
        return current
    return max(math.ceil(round(damped * pods, 9)), current)


def _blind(state: State) -> Decision:
    conditions = (
        Condition(kind="AbleToScale", holds=True, reason="ReadyForNewScale"),
        Condition(kind="ScalingActive", holds=False, reason="FailedGetResourceMetric"),
        Condition(kind="ScalingLimited", holds=False, reason="DesiredWithinRange"),
    )
    return Decision(desired=state.desired, conditions=conditions)


def _stabilized(
    behaviour: Behaviour, current: int, recommendations: tuple[tuple[float, int], ...], now_s: float
) -> tuple[int, Condition]:
    """The most careful of the recommendations in each direction's window."""
    lowest = min(n for at_s, n in recommendations if at_s == now_s or now_s - at_s < behaviour.up.stabilization_s)
    highest = max(n for at_s, n in recommendations if at_s == now_s or now_s - at_s < behaviour.down.stabilization_s)
    wanted = recommendations[-1][1]
    stable = min(max(current, lowest), highest)
    reason = "ReadyForNewScale"
    if stable != wanted:
        reason = "ScaleUpStabilized" if stable < wanted else "ScaleDownStabilized"
    return stable, Condition(kind="AbleToScale", holds=True, reason=reason)


def _limited(autoscaler: Autoscaler, state: State, wanted: int, now_s: float) -> tuple[int, Condition]:
    """The wanted number within the policies and the bounds, and what held it back."""
    behaviour, current, events = autoscaler.behaviour, state.desired, state.events
    reason = "DesiredWithinRange"
    if wanted > current:
        allowed = up_limit(behaviour.up, current=current, events=events, now_s=now_s)
        if wanted > allowed:
            wanted, reason = allowed, "ScaleUpLimit"
    elif wanted < current:
        allowed = down_limit(behaviour.down, current=current, events=events, now_s=now_s)
        if wanted < allowed:
            wanted, reason = allowed, "ScaleDownLimit"
    if wanted > autoscaler.max_replicas:
        wanted, reason = autoscaler.max_replicas, "TooManyReplicas"
    elif wanted < autoscaler.min_replicas:
        wanted, reason = autoscaler.min_replicas, "TooFewReplicas"
    return wanted, Condition(kind="ScalingLimited", holds=reason != "DesiredWithinRange", reason=reason)


def _after(
    autoscaler: Autoscaler, state: State, recommendations: tuple[tuple[float, int], ...], desired: int, now_s: float
) -> State:
    """The state with what no window looks back to forgotten."""
    behaviour = autoscaler.behaviour
    remembered_s = max(behaviour.up.stabilization_s, behaviour.down.stabilization_s)
    longest_s = max((policy.period_s for policy in (*behaviour.up.policies, *behaviour.down.policies)), default=0.0)
    events = tuple(event for event in state.events if now_s - event.at_s < longest_s)
    if desired != state.desired:
        events = (*events, ScaleEvent(at_s=now_s, change=desired - state.desired))
    kept = tuple(entry for entry in recommendations if now_s - entry[0] < remembered_s)
    return replace(state, desired=desired, recommendations=kept, events=events)
