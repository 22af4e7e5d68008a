"""The spikes of a rate line: where it rises above half of its peak, and comes back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from scenarios.profile import Profile

Point = tuple[float, float]  # seconds after the start, requests a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One spike, in seconds after the start.

    onset_s: where the rate begins to rise. end_s: where it has come back and falls no further.
    until_s: where the load after it ends, or the next spike begins.
    """

    onset_s: float
    end_s: float
    until_s: float
    before_rps: float
    peak_rps: float
    after_rps: float


def spikes(profile: Profile) -> tuple[Spike, ...]:
    """Every spike in order; none where the line never rises above half of its peak and comes back.

    A spike is as wide as the line is above half of its peak (full width at half maximum), and then from the foot of
    that rise to the foot of that fall. A canary, or a stair on the way up, is no part of it.
    """
    points = _points(profile)
    found = list(_found(points, profile.peak_rps / 2))
    last_s = max((later for (_, rate), (later, to) in pairwise(points) if rate > 0 or to > 0), default=0.0)
    ends = [*(spike.onset_s for spike in found[1:]), last_s]
    return tuple(replace(spike, until_s=max(end_s, spike.end_s)) for spike, end_s in zip(found, ends, strict=False))


def _points(profile: Profile) -> list[Point]:
    """The line's corners, from nothing before it; a jump is two corners at one instant."""
    points: list[Point] = [(0.0, 0.0)]
    for start_s, phase in zip(profile.starts_s(), profile.phases, strict=True):
        points += [(start_s, phase.from_rps), (start_s + phase.duration_s, phase.to_rps)]
    return [point for point, _ in groupby(points)]  # where a line goes on as it was there is one corner


def _found(points: Sequence[Point], half_rps: float) -> Iterator[Spike]:
    onset = None
    for place, ((_, rate), (_, to)) in enumerate(pairwise(points)):
        if rate <= half_rps < to:
            onset = _foot_before(points, place)
        elif onset is not None and to <= half_rps < rate:
            end = _foot_after(points, place + 1)
            yield Spike(
                onset_s=points[onset][0], end_s=points[end][0], until_s=points[end][0],
                before_rps=points[onset][1], peak_rps=max(rps for _, rps in points[onset:end]),
                after_rps=points[end][1],
            )  # fmt: skip
            onset = None


def _foot_before(points: Sequence[Point], place: int) -> int:
    """The corner from which the line rises without a break to this one."""
    while place and points[place - 1][1] < points[place][1]:
        place -= 1
    return place


def _foot_after(points: Sequence[Point], place: int) -> int:
    """The corner to which the line falls without a break from this one."""
    while place + 1 < len(points) and points[place + 1][1] < points[place][1]:
        place += 1
    return place
