"""Steady: memory, file handles and connections do not creep up over the hold. By the slope, process by process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from slo.answer import NOTHING, Answer, unproven
from slo.evidence import Evidence, NotSeen, Window
from slo.intervals import Interval
from slo.objective import Resource, Steady
from slo.resource import ResourceSeries
from slo.slope import Course, Slope, course
from slo.verdict import Outcome
from slo.words import duration, number

HOUR_S = 3600.0
NAMED_AT_MOST = 3
LEVELLED_OFF = ", and has levelled off"
# The level counts as at least so much: a tenth of a dozen handles is one, and one more is no leak.
FLOORS: Mapping[Resource, float] = {"memory": 64e6, "file_handles": 100.0, "connections": 100.0}
BY_LOWEST: frozenset[Resource] = frozenset({"connections"})  # they come in bursts; the others wander to both sides
CALLED: Mapping[Resource, str] = {"memory": "memory", "file_handles": "file handles", "connections": "connections"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What is to be said of one process; outcome None: seen for too short a time to say anything."""

    one: ResourceSeries
    outcome: Outcome | None
    words: str
    remark: str = ""  # how its slope changed meanwhile
    hourly: Slope | None = None


def judge_steady(objective: Steady, evidence: Evidence) -> Answer:
    """No process may gain more an hour than it is allowed to: the whole interval must lie below that."""
    share, within_h = objective.below_ratio_per_hour * 100, objective.no_limit_within_h
    target = f"growth < {share:g} % an hour, limit not within {within_h:g} h"
    series = evidence.resources.get(objective.of, NotSeen("nobody looked"))
    if isinstance(series, NotSeen):
        return unproven(target, f"{CALLED[objective.of]}: {series.because}")
    lives = [judge_life(one, objective, evidence.hold) for one in series]
    for outcome, told in ((Outcome.MISSED, _of(lives, Outcome.MISSED)), (Outcome.UNPROVEN, _open(lives))):
        if told:
            return _answer(outcome, told, objective, target, because=_each(told))
    steady = _of(lives, Outcome.MET)
    if not steady:
        return unproven(target, f"{CALLED[objective.of]} of nothing was seen")
    return _answer(Outcome.MET, steady, objective, target, because=_all_steady(steady, lives))


def judge_life(one: ResourceSeries, objective: Steady, hold: Window) -> Life:
    """One process, from its start, or the hold's, to its end, or the hold's."""
    held = (one.at_unix_s >= hold.start_unix_s) & (one.at_unix_s < hold.end_unix_s) & np.isfinite(one.value)
    seen = course(one.at_unix_s[held], one.value[held], by_lowest=objective.of in BY_LOWEST)
    if seen is None or seen.lasted_s < objective.at_least_s or not seen.seen_enough:
        lasted_s = seen.lasted_s if seen else 0.0
        how = "with holes " if seen and lasted_s >= objective.at_least_s else ""
        needed = f"{duration(objective.at_least_s)} needed"
        return Life(one=one, outcome=None, words=f"{one.name}: seen {how}for {duration(lasted_s)} ({needed})")
    whole, late = seen.slope.per(HOUR_S), seen.late_slope.per(HOUR_S)
    allowed = _allowed(one, objective, seen)
    outcome, remark = weigh(whole, late, allowed)
    now = float(seen.mean[-1])
    limit = _reaches(one, now, late if remark else whole, objective.of)
    words = (
        f"{one.name}: {amount(now, objective.of)} at the end, {_interval(whole, objective.of)} an hour "
        f"({amount(allowed, objective.of)} allowed){remark}{limit}"
    )
    return Life(one=one, outcome=outcome, words=words, remark=remark, hourly=whole)


def weigh(whole: Interval, late: Interval, allowed: float) -> tuple[Outcome, str]:
    """An outcome by the slope of all that was seen and by that of its second half, which decides when it can.

    What grew and does no more was warming up. What grows more and more slowly may level off: nobody knows yet.
    """
    grew = whole.low >= allowed
    if late.low >= allowed or (grew and late.high >= whole.low):
        return Outcome.MISSED, "" if grew else ", ever faster"
    if late.high < allowed:
        return Outcome.MET, LEVELLED_OFF if grew else ""
    if whole.high < allowed:
        return Outcome.MET, ""
    return Outcome.UNPROVEN, f"{', ever more slowly' if grew else ''}: a longer hold would decide"


def _allowed(one: ResourceSeries, objective: Steady, seen: Course) -> float:
    """What it may gain an hour: a share of its level, and no more than fills what is left in the time it must last."""
    share = objective.below_ratio_per_hour * max(float(np.median(seen.mean)), FLOORS[objective.of])
    if one.limit is None:
        return share
    return min(share, (one.limit - one.taken - float(seen.mean[-1])) / objective.no_limit_within_h)


def _reaches(one: ResourceSeries, now: float, hourly: Interval, of: Resource) -> str:
    """When it would reach its limit at this slope, where it has one: by both ends of the interval."""
    if one.limit is None:
        return ""
    limit = f"its limit of {amount(one.limit, of)}"
    room = one.limit - one.taken - now
    if room <= 0:
        return f"; {limit} is reached"
    if hourly.high <= 0:
        return f"; {limit} is not in sight"
    soonest_h = room / hourly.high
    if hourly.low <= 0:
        return f"; {limit} is not reached for {_hours(soonest_h)}"
    soonest, latest = _hours(soonest_h), _hours(room / hourly.low)
    return f"; at this slope {limit} is reached in {soonest if soonest == latest else f'{soonest} to {latest}'}"


def _of(lives: Iterable[Life], outcome: Outcome) -> list[Life]:
    """Those with this outcome, the steepest first."""
    return sorted(
        (life for life in lives if life.outcome is outcome), key=lambda life: -life.hourly.gains if life.hourly else 0.0
    )


def _open(lives: list[Life]) -> list[Life]:
    """What is unproven, and the groups of which no process lived long enough to prove anything."""
    judged = {life.one.group for life in lives if life.outcome is not None}
    short: dict[str, Life] = {life.one.group: life for life in lives if life.one.group not in judged}
    return [*_of(lives, Outcome.UNPROVEN), *short.values()]


def _answer(outcome: Outcome, told: list[Life], objective: Steady, target: str, *, because: str) -> Answer:
    steepest = told[0]
    hourly = steepest.hourly
    return Answer(
        outcome=outcome, because=because, target=target, source=steepest.one.source,
        measured=NOTHING if hourly is None else f"{gain(hourly.gains, objective.of)} an hour",
        interval=NOTHING if hourly is None else f"{_interval(hourly, objective.of)} (95 %)",
    )  # fmt: skip


def _all_steady(steady: list[Life], lives: list[Life]) -> str:
    levelled = [life for life in steady[1:] if life.remark == LEVELLED_OFF]
    told = "; ".join(life.words for life in [steady[0], *levelled[: NAMED_AT_MOST - 1]])
    of_all = f"{len(steady)} processes, the steepest: " if len(steady) > 1 else ""
    short = sum(life.outcome is None for life in lives)
    return f"{of_all}{told}" + (f"; {short} more lived too short to be judged" if short else "")


def _each(told: list[Life]) -> str:
    more = f"; and {len(told) - NAMED_AT_MOST} more" if len(told) > NAMED_AT_MOST else ""
    return "; ".join(life.words for life in told[:NAMED_AT_MOST]) + more


def _interval(hourly: Interval, of: Resource) -> str:
    low, high = gain(hourly.low, of), gain(hourly.high, of)
    return low if low == high else f"{low} to {high}"


def amount(value: float, of: Resource) -> str:
    """So much of a resource: "612.3 MB", "1,024"."""
    return f"{value / 1e6:,.1f} MB" if of == "memory" else number(value)


def gain(value: float, of: Resource) -> str:
    """What is gained or lost: "+1.2 MB", "-3"."""
    return f"{value / 1e6:+,.1f} MB" if of == "memory" else f"{value:+,.0f}".replace("-0", "+0")


def _hours(hours: float) -> str:
    return f"{hours:,.1f} h" if hours < 48 else f"{hours / 24:,.0f} days"
