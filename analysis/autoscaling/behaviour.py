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


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Both directions. The defaults are those of autoscaling/v2 (Kubernetes documentation, "Default Behavior")."""

    up: Rules = Rules(
        stabilization_s=0.0,
        policies=(Policy(kind="Percent", value=100, period_s=15.0), Policy(kind="Pods", value=4, period_s=15.0)),
    )
    down: Rules = Rules(stabilization_s=300.0, policies=(Policy(kind="Percent", value=100, period_s=15.0),))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleEvent:
    """Replicas added (positive) or removed (negative) at one instant."""

    at_s: float
    change: int


def up_limit(rules: Rules, *, current: int, events: tuple[ScaleEvent, ...], now_s: float) -> int:
    """The most replicas that the scale-up policies allow now."""
    if rules.select is Select.DISABLED:
        return current
    limits = []
    for policy in rules.policies:
        added = sum(event.change for event in events if event.change > 0 and now_s - event.at_s < policy.period_s)
        before = current - added
        grown = before + policy.value if policy.kind == "Pods" else math.ceil(before * (1 + policy.value / 100))
        limits.append(grown)
    return max(_selected(rules.select, limits, most=True), current)


def down_limit(rules: Rules, *, current: int, events: tuple[ScaleEvent, ...], now_s: float) -> int:
    """The fewest replicas that the scale-down policies allow now."""
    if rules.select is Select.DISABLED:
        return current
    limits = []
    for policy in rules.policies:
        removed = -sum(event.change for event in events if event.change < 0 and now_s - event.at_s < policy.period_s)
        before = current + removed
        shrunk = before - policy.value if policy.kind == "Pods" else int(before * (1 - policy.value / 100))
        limits.append(shrunk)
    return min(_selected(rules.select, limits, most=False), current)


def _selected(select: Select, limits: list[int], *, most: bool) -> int:
    """Max lets the policy decide that allows the largest change, Min the one that allows the smallest."""
    widest = select is Select.MAX
    return max(limits) if widest == most else min(limits)
