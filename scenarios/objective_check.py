"""What no objective may ask for: values by which every run would pass, or none. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import assert_never

from slo.objective import (
    RATE_TO_PROVE,
    Availability,
    Backlog,
    ErrorRatio,
    Journeys,
    Latency,
    Limit,
    Objective,
    Recovery,
    Scaling,
    Steady,
    Throughput,
)

LONGEST_NAME = 80  # it stands in tables, and in lines of a terminal


def objective_problems(objectives: tuple[Objective, ...]) -> Iterator[str]:
    """Each value that cannot be meant, by the objective's name."""
    names = [one.name for one in objectives]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: two objectives are called so"
    for one in objectives:
        if not one.name.strip():
            yield f"an objective of kind {one.kind} has no name"
        elif len(one.name) > LONGEST_NAME or not one.name.isprintable():
            yield f"{one.name[:LONGEST_NAME]!r} is no name: one line of at most {LONGEST_NAME} characters"
        yield from (f"{one.name}: {problem}" for problem in _of_load(one))


def _of_load(one: Objective) -> Iterator[str]:
    match one:
        case Throughput():
            rate = {} if one.at_least_rps == RATE_TO_PROVE else {"at_least_rps": one.at_least_rps}
            yield from _above_0(**rate, window_s=one.window_s)
        case Latency():
            yield from _share(quantile_ratio=one.quantile_ratio)
            yield from _above_0(below_ms=one.below_ms)
        case ErrorRatio():
            yield from _share(below_ratio=one.below_ratio)
        case Availability() | Journeys():
            # 1: not one may fail. Hard, and possible.
            yield from () if one.at_least_ratio == 1 else _share(at_least_ratio=one.at_least_ratio)
        case Recovery():
            yield from _recovery(one)
        case _:
            yield from _of_platform(one)


def _recovery(one: Recovery) -> Iterator[str]:
    yield from _share(quantile_ratio=one.quantile_ratio, errors_below_ratio=one.errors_below_ratio)
    yield from _above_0(latency_below_ms=one.latency_below_ms, held_for_s=one.held_for_s)
    if not 1 <= one.window_s <= one.within_s < math.inf:
        yield f"within_s {one.within_s:g} is not at least window_s ({one.window_s})"


def _of_platform(one: Backlog | Scaling | Steady | Limit) -> Iterator[str]:
    match one:
        case Backlog():
            yield from _above_0(worked_off_within_s=one.worked_off_within_s)
        case Scaling():
            yield from _above_0(settled_for_s=one.settled_for_s)
        case Steady():
            yield from _above_0(
                below_ratio_per_hour=one.below_ratio_per_hour,
                no_limit_within_h=one.no_limit_within_h,
                at_least_s=one.at_least_s,
            )
        case Limit():
            yield from _above_0(at_least_rps=one.at_least_rps)
            yield from _share(resolution_ratio=one.resolution_ratio)
        case _:
            assert_never(one)


def _above_0(**named: float) -> Iterator[str]:
    for name, value in named.items():
        if not 0 < value < math.inf:
            yield f"{name} {value:g} is not above 0"


def _share(**named: float) -> Iterator[str]:
    for name, value in named.items():
        if not 0 < value < 1:
            yield f"{name} {value:g} is not between 0 and 1{meant_as_ratio(value)}"


def meant_as_ratio(value: float) -> str:
    """What a percentage would be as a ratio, for whoever wrote one; "" for what is none."""
    return f"; a percentage? Then write {value / 100:g}" if 1 < value < 100 else ""
