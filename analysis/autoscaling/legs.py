"""How each scale-up went, leg by leg: from what an autoscaler wanted and what there was. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.profile import Profile
from slo.scale_ups import ScaleUp

TOLERANCE_RATIO = 1.1  # of the metric to its target: below it Kubernetes lets things be
A_WHOLE = 0.5  # replicas


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRise:
    """Where the rate line begins to rise: at once, or in a ramp."""

    start_unix_s: float
    by_step: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Steps:
    """A number that holds from one instant to the next: the last value stands for ever."""

    at_unix_s: NDArray[np.float64]
    values: NDArray[np.float64]

    def reaches(self, value: float, since_unix_s: float, until_unix_s: float) -> float | None:
        """When it was first at least so much, from one instant to another; None when it never was."""
        before = int(np.searchsorted(self.at_unix_s, since_unix_s, side="right")) - 1
        if before >= 0 and self.values[before] >= value - A_WHOLE:
            return since_unix_s
        inside = (self.at_unix_s >= since_unix_s) & (self.at_unix_s < until_unix_s)
        places = np.flatnonzero(inside & (self.values >= value - A_WHOLE))
        return float(self.at_unix_s[places[0]]) if len(places) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What is known of one autoscaler over a run; None for what nobody saw."""

    desired: Steps
    ready: Steps
    replicas: Steps | None = None
    scheduled: Steps | None = None
    metric_ratio: Steps | None = None  # the highest of its metrics, of its target


def load_rises(profile: Profile, t0_unix_s: float) -> tuple[LoadRise, ...]:
    """Every instant at which the plan's rate begins to rise, in order."""
    rises: list[LoadRise] = []
    rps, rising = 0.0, False
    for start_s, phase in zip(profile.starts_s(), profile.phases, strict=True):
        jumps, ramps = phase.from_rps > rps, phase.to_rps > phase.from_rps
        if jumps or (ramps and not rising):  # a ramp that goes on in the next phase is one ramp
            rises.append(LoadRise(start_unix_s=t0_unix_s + start_s, by_step=jumps and not ramps))
        rps, rising = phase.to_rps, ramps
    return tuple(rises)


def scale_ups(course: Course, rises: tuple[LoadRise, ...]) -> tuple[ScaleUp, ...]:
    """Every raise of `desired`, with when each stage after it came about."""
    raises = list(_raises(course.desired))
    ups = []
    for place, (at_unix_s, before, after) in enumerate(raises):
        rise = next((one for one in reversed(rises) if one.start_unix_s <= at_unix_s), None)
        former = raises[place - 1][0] if place else -np.inf
        until_unix_s = _lowered(course.desired, after, at_unix_s)
        ups.append(_scale_up(course, (at_unix_s, before, after), rise, former, until_unix_s))
    return tuple(ups)


def _scale_up(
    course: Course, raised: tuple[float, float, float], rise: LoadRise | None, former: float, until_unix_s: float
) -> ScaleUp:
    at_unix_s, before, after = raised
    since = max(rise.start_unix_s if rise else at_unix_s, min(former, at_unix_s))
    stages = (course.replicas, course.scheduled, course.ready)
    replicas, scheduled, ready = (one.reaches(after, at_unix_s, until_unix_s) if one else None for one in stages)
    ratio = course.metric_ratio
    return ScaleUp(
        from_replicas=round(before),
        to_replicas=round(after),
        load_unix_s=rise.start_unix_s if rise else None,
        by_step=bool(rise and rise.by_step),
        since_unix_s=since,
        over_target_unix_s=_over_target(ratio, since, at_unix_s) if ratio else None,
        desired_unix_s=at_unix_s,
        replicas_unix_s=replicas,
        scheduled_unix_s=scheduled,
        ready_unix_s=ready,
    )


def _raises(desired: Steps) -> Iterator[tuple[float, float, float]]:
    """When, from what and to what; what is not known yet (0) is raised by nobody."""
    known = desired.values > 0
    values, at_unix_s = desired.values[known], desired.at_unix_s[known]
    for place in np.flatnonzero(np.diff(values) > A_WHOLE):
        yield float(at_unix_s[place + 1]), float(values[place]), float(values[place + 1])


def _lowered(desired: Steps, value: float, since_unix_s: float) -> float:
    """When less than this was wanted again: what was not ready by then was not needed any more."""
    later = (desired.at_unix_s > since_unix_s) & (desired.values < value - A_WHOLE)
    return float(desired.at_unix_s[later][0]) if later.any() else float("inf")


def _over_target(ratio: Steps, since_unix_s: float, until_unix_s: float) -> float | None:
    """When the metric went over its target for good, as the autoscaler saw it, before it decided."""
    inside = (ratio.at_unix_s >= since_unix_s) & (ratio.at_unix_s <= until_unix_s)
    over = ratio.values[inside] > TOLERANCE_RATIO
    if not over.any():
        return None
    under = np.flatnonzero(~over)
    first = int(under[-1]) + 1 if len(under) else 0
    return float(ratio.at_unix_s[inside][first]) if first < len(over) else None
