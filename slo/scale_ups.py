"""How one scale-up went: its legs from the load's rise to pods that serve, and which of them was the slowest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

WORTH_BLAMING_S = 1.0  # Kubernetes' own times are whole seconds


class Stage(StrEnum):
    """What had come about at the end of a leg, in order."""

    OVER_TARGET = "over target"  # the metric, as the autoscaler sees it
    DESIRED = "desired"
    REPLICAS = "replicas"
    SCHEDULED = "scheduled"
    READY = "ready"


SLOW = {
    Stage.OVER_TARGET: "the metric was slow to show the load",
    Stage.DESIRED: "the autoscaler was slow to decide",
    Stage.REPLICAS: "pods were slow to be created",
    Stage.SCHEDULED: "pods waited for room on a node",
    Stage.READY: "pods were slow to become ready",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """The way to one stage from the stage before it that is known."""

    stage: Stage
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleUp:
    """One raise of what an autoscaler wants. An instant is None when it was not seen, or never came.

    load_unix_s: when the rate line last began to rise before it; None for a raise before any load.
    since_unix_s: from when it counts: the load's rise, or the raise before this one when that came later.
    """

    from_replicas: int
    to_replicas: int
    load_unix_s: float | None
    by_step: bool  # the load jumped; in a ramp it was not yet needed when the load began to rise
    since_unix_s: float
    over_target_unix_s: float | None
    desired_unix_s: float
    replicas_unix_s: float | None = None
    scheduled_unix_s: float | None = None
    ready_unix_s: float | None = None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """The legs whose ends are known; one that is not adds its time to the next."""
        reached = (
            (Stage.OVER_TARGET, self.over_target_unix_s), (Stage.DESIRED, self.desired_unix_s),
            (Stage.REPLICAS, self.replicas_unix_s), (Stage.SCHEDULED, self.scheduled_unix_s),
            (Stage.READY, self.ready_unix_s),
        )  # fmt: skip
        known = [(Stage.OVER_TARGET, self.since_unix_s)] + [(stage, at) for stage, at in reached if at is not None]
        return tuple(
            Leg(stage=stage, took_s=max(at - before, 0.0)) for (_, before), (stage, at) in pairwise(_in_order(known))
        )

    @property
    def took_s(self) -> float | None:
        """From the load's rise (or the raise before) to all pods ready; None when they never were."""
        return None if self.ready_unix_s is None else max(self.ready_unix_s - self.since_unix_s, 0.0)

    @property
    def blamed(self) -> Leg | None:
        """The slowest leg. In a ramp the time before it was decided is the load's own: it was not needed yet."""
        legs = [leg for leg in self.legs if self.by_step or leg.stage not in self._the_loads_own]
        worst = max(legs, key=lambda leg: leg.took_s, default=None)
        return worst if worst and worst.took_s >= WORTH_BLAMING_S else None

    @property
    def _the_loads_own(self) -> tuple[Stage, ...]:
        return (Stage.OVER_TARGET,) if self.over_target_unix_s is not None else (Stage.DESIRED,)


def _in_order(known: list[tuple[Stage, float]]) -> list[tuple[Stage, float]]:
    """No stage ends before the one before it: what says otherwise was seen a moment late."""
    latest, ordered = known[0][1], []
    for stage, at_unix_s in known:
        latest = max(latest, at_unix_s)
        ordered.append((stage, latest))
    return ordered


def slowest(ups: Sequence[ScaleUp]) -> ScaleUp | None:
    """The one that took longest; one that never became ready before all others."""
    never = [up for up in ups if up.took_s is None]
    return never[0] if never else max(ups, key=lambda up: up.took_s or 0.0, default=None)
