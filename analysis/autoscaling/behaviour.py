"""How fast an HPA may scale: windows and policies of `spec.behavior`, with Kubernetes' defaults. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Select(StrEnum):
    """Which of several policies decides."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """At most so many pods, or so many percent of what there was, within the period."""

    kind: Literal["Pods", "Percent"]
    value: int
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One direction of a behaviour."""

    stabilization_s: float
    policies: tuple[Policy, ...]
    select: Select = Select.MAX
    tolerance_ratio: float | None = None  # None: the controller's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Both directions. The defaults are those of autoscaling/v2 (Kubernetes documentation, "Default behavior").

    They hold for a manifest with a `behavior`. Without any, the controller's older rule holds, which differs only below
    four replicas: it goes up to four at once, where the policies here allow four more.
    """

    up: Rules = Rules(
        stabilization_s=0.0,
        policies=(Policy(kind="Percent", value=100, period_s=15.0), Policy(kind="Pods", value=4, period_s=15.0)),
    )
    down: Rules = Rules(stabilization_s=300.0, policies=(Policy(kind="Percent", value=100, period_s=15.0),))

    @property
    def longest_window_s(self) -> float:
        """How long a recommendation is remembered."""
        return max(self.up.stabilization_s, self.down.stabilization_s)

    @property
    def longest_period_s(self) -> float:
        """How long a change of replicas is remembered."""
        return max((policy.period_s for policy in (*self.up.policies, *self.down.policies)), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleEvent:
    """Replicas added (positive) or removed (negative) at one instant."""

    at_s: float
    change: int


def up_limit(rules: Rules, *, current: int, events: tuple[ScaleEvent, ...], now_s: float) -> int:
    """The most replicas that the scale-up policies allow now; never fewer than there are."""
    if rules.select is Select.DISABLED or not rules.policies:
        return current
    limits = []
    for policy in rules.policies:
        before = _at_start_of_period(policy, current, events, now_s)
        grown = before + policy.value if policy.kind == "Pods" else math.ceil(before * (1 + policy.value / 100))
        limits.append(grown)
    return max(max(limits) if rules.select is Select.MAX else min(limits), current)


def down_limit(rules: Rules, *, current: int, events: tuple[ScaleEvent, ...], now_s: float) -> int:
    """The fewest replicas that the scale-down policies allow now; never more than there are."""
    if rules.select is Select.DISABLED or not rules.policies:
        return current
    limits = []
    for policy in rules.policies:
        before = _at_start_of_period(policy, current, events, now_s)
        shrunk = before - policy.value if policy.kind == "Pods" else int(before * (1 - policy.value / 100))
        limits.append(shrunk)
    return min(min(limits) if rules.select is Select.MAX else max(limits), current)


def _at_start_of_period(policy: Policy, current: int, events: tuple[ScaleEvent, ...], now_s: float) -> int:
    """The replicas there were when the policy's period began: changes in both directions are taken back."""
    return current - sum(event.change for event in events if now_s - event.at_s < policy.period_s)
