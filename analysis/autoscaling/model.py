"""The HPA v2 algorithm: from one reading of a cluster to a number of replicas and the conditions that explain it.

Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details; the order of the steps (metrics and
tolerance, stabilization, rate limits, bounds) and the reasons are the controller's (1.28). Pure: time is an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from analysis.autoscaling.behaviour import Behaviour, ScaleEvent, down_limit, up_limit
from analysis.autoscaling.recommendation import TOLERANCE_RATIO, Metric, Reading, Tolerance, recommend_by_all


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """What an HPA was told to do."""

    min_replicas: int
    max_replicas: int
    metrics: tuple[Metric, ...]
    behaviour: Behaviour = field(default_factory=Behaviour)
    tolerance_ratio: float = TOLERANCE_RATIO

    def __post_init__(self) -> None:
        """Refuse what the API server would not have taken."""
        if not self.metrics or self.min_replicas > self.max_replicas:
            raise ValueError(f"not an autoscaler: {self}")

    @property
    def tolerance(self) -> Tolerance:
        """Each direction's own tolerance, or else the controller's."""
        up, down = self.behaviour.up.tolerance_ratio, self.behaviour.down.tolerance_ratio
        return Tolerance(
            up_ratio=self.tolerance_ratio if up is None else up,
            down_ratio=self.tolerance_ratio if down is None else down,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `status.conditions`."""

    kind: str
    holds: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscalerState:
    """What the controller remembers between two looks."""

    recommendations: tuple[tuple[float, int], ...] = ()  # (instant, replicas), before stabilization
    events: tuple[ScaleEvent, ...] = ()
    limited: Condition | None = None  # ScalingLimited stays as it was while there is nothing to decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many replicas from now on, and why."""

    desired: int
    conditions: tuple[Condition, ...]

    def reason(self, kind: str) -> str:
        """The reason of one condition; "" when it is not set."""
        return next((condition.reason for condition in self.conditions if condition.kind == kind), "")


def step(
    autoscaler: Autoscaler, state: AutoscalerState, reading: Reading, *, now_s: float
) -> tuple[Decision, AutoscalerState]:
    """One look of the controller."""
    current = reading.replicas
    # A controller that starts takes what it finds for its first recommendation, so that it scales nothing down at once.
    remembered = state.recommendations or ((now_s, current),)
    state = replace(state, recommendations=remembered)
    if current == 0 and autoscaler.min_replicas != 0:
        return _undecided(current, state, "ScalingDisabled"), state
    if not autoscaler.min_replicas <= current <= autoscaler.max_replicas:
        desired = min(max(current, autoscaler.min_replicas), autoscaler.max_replicas)
        return _decided(desired, current, "SucceededGetScale", (), state), _scaled(
            autoscaler, state, reading, desired, now_s
        )
    wanted, active = recommend_by_all(autoscaler.metrics, reading, autoscaler.tolerance)
    if wanted is None:
        return _undecided(current, state, active), state
    stable, able = _stabilized(autoscaler.behaviour, current, wanted, remembered, now_s)
    desired, limit = _limited(autoscaler, state, current, stable, now_s)
    limited = Condition(kind="ScalingLimited", holds=desired != stable, reason=limit)
    after = replace(state, recommendations=(*remembered, (now_s, wanted)), limited=limited)
    found = (Condition(kind="ScalingActive", holds=True, reason=active),)
    return _decided(desired, current, able, found, after), _scaled(autoscaler, after, reading, desired, now_s)


def _undecided(current: int, state: AutoscalerState, reason: str) -> Decision:
    inactive = Condition(kind="ScalingActive", holds=False, reason=reason)
    return _decided(current, current, "SucceededGetScale", (inactive,), state)


def _decided(desired: int, current: int, able: str, active: tuple[Condition, ...], state: AutoscalerState) -> Decision:
    able = able if desired == current else "SucceededRescale"
    limited = (state.limited,) if state.limited else ()
    return Decision(
        desired=desired, conditions=(Condition(kind="AbleToScale", holds=True, reason=able), *active, *limited)
    )


def _stabilized(
    behaviour: Behaviour, current: int, wanted: int, remembered: tuple[tuple[float, int], ...], now_s: float
) -> tuple[int, str]:
    """The most careful of the recommendations in each direction's window, and AbleToScale's reason."""
    lowest = min([wanted, *(n for at_s, n in remembered if now_s - at_s < behaviour.up.stabilization_s)])
    highest = max([wanted, *(n for at_s, n in remembered if now_s - at_s < behaviour.down.stabilization_s)])
    stable = min(max(current, lowest), highest)
    if stable == wanted:
        return stable, "ReadyForNewScale"
    return stable, "ScaleUpStabilized" if wanted >= current else "ScaleDownStabilized"


def _limited(
    autoscaler: Autoscaler, state: AutoscalerState, current: int, wanted: int, now_s: float
) -> tuple[int, str]:
    """The wanted number within policies and bounds, and ScalingLimited's reason. The tighter of the two is named."""
    behaviour, most, fewest = autoscaler.behaviour, autoscaler.max_replicas, autoscaler.min_replicas
    if wanted > current:
        allowed = up_limit(behaviour.up, current=current, events=state.events, now_s=now_s)
        if wanted > min(allowed, most):
            return min(allowed, most), "ScaleUpLimit" if allowed < most else "TooManyReplicas"
    elif wanted < current:
        allowed = down_limit(behaviour.down, current=current, events=state.events, now_s=now_s)
        if wanted < max(allowed, fewest):
            return max(allowed, fewest), "ScaleDownLimit" if allowed > fewest else "TooFewReplicas"
    return wanted, "DesiredWithinRange"


def _scaled(
    autoscaler: Autoscaler, state: AutoscalerState, reading: Reading, desired: int, now_s: float
) -> AutoscalerState:
    """The state with the change of replicas, and without what nobody looks back to any more."""
    behaviour = autoscaler.behaviour
    events = tuple(event for event in state.events if now_s - event.at_s < behaviour.longest_period_s)
    if desired != reading.replicas:
        events = (*events, ScaleEvent(at_s=now_s, change=desired - reading.replicas))
    # The newest one always stays: an empty memory is that of a controller that has just started.
    *older, newest = state.recommendations
    kept = tuple(entry for entry in older if now_s - entry[0] < behaviour.longest_window_s)
    return replace(state, recommendations=(*kept, newest), events=events)
