"""The search for the highest rate that still meets the objectives: exponential growth, then bisection. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from slo.level import LevelOutcome, LevelSays

__all__ = [
    "Bracket",
    "Found",
    "HoldAt",
    "LevelOutcome",
    "LevelSays",
    "Search",
    "Tried",
    "bracket_of",
    "next_step",
    "proof_rate_rps",
]

FEWEST_DIGITS = 3  # rates are rounded to three digits, and to more where the bracket is narrower than that
SETTLED = "the platform has settled"  # why a rest ended, in the record; any other end means that it has not
LOWEST_SHARE = 1 / 16  # of the start rate: where nothing is met down to there, nothing is found


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """How the limit is sought. Rates are rates to prove: the offered ratio of the plan is put on top of each."""

    start_rps: float
    most_rps: float  # beyond this nothing is tried
    at_least_rps: float  # what the limit must reach to be called met
    growth: float = 2.0
    resolution_ratio: float = 0.05  # the interval is at most so wide, as a share of its upper end
    margin_ratio: float = 0.05  # the proof holds so much below the highest rate met
    replicas: Literal["autoscaled", "fixed"] = "autoscaled"
    ramp_s: float = 5.0
    level_s: float = 20.0  # no level is called met earlier
    level_at_most_s: float = 60.0  # then what is not decided is undecided
    rest_at_least_s: float = 5.0  # between two levels, at a tenth of the start rate
    rest_at_most_s: float = 90.0
    quiet_s: float = 30.0  # the autoscaler has caught up when it has been content for so long: two of its looks
    catch_up_at_most_s: float = 180.0
    budget_s: float = 2400.0  # for the search; the proof comes after it
    void_retries: int = 1  # how often a level whose measurement was disturbed is tried again
    proofs_at_most: int = 2

    @property
    def longest_s(self) -> float:
        """How long the search lasts at most, without its proof: a level begun in time is brought to its end."""
        level_s = self.ramp_s + self.catch_up_at_most_s + self.level_at_most_s + self.rest_at_most_s
        return self.budget_s + level_s + self.proofs_at_most * self.rest_at_most_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One rate that was held, and what it showed."""

    rate_rps: float
    outcome: LevelOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldAt:
    """The next rate to try."""

    rate_rps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """What is known: met up to, not met from. None where nothing was found on that side."""

    met_rps: float | None
    ceiling_rps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Nothing is left to try."""

    bracket: Bracket
    because: str


def next_step(search: Search, tried: Sequence[Tried]) -> HoldAt | Found:
    """What to do after these levels.

    Up by the growth factor until a level is not met, then into the middle between the highest met and the lowest not
    met, until they are as close as asked. A void level is tried again first.
    """
    if not tried:
        return HoldAt(rate_rps=search.start_rps)
    if _may_try_again(search, tried):
        return HoldAt(rate_rps=tried[-1].rate_rps)
    known = bracket_of(tried)
    if known.met_rps is None:
        return _down(search, known)
    if known.ceiling_rps is None:
        return _up(search, known)
    if known.ceiling_rps - known.met_rps <= search.resolution_ratio * known.ceiling_rps:
        return Found(bracket=known, because="the limit is known as finely as asked")
    return HoldAt(rate_rps=between(known.met_rps, known.ceiling_rps))


def bracket_of(tried: Sequence[Tried]) -> Bracket:
    """The lowest rate that was not met, and the highest that was met below it. Of one rate the last word counts."""
    last: Mapping[float, LevelOutcome] = {one.rate_rps: one.outcome for one in tried}
    ceiling_rps = min((rate for rate, outcome in last.items() if outcome is not LevelOutcome.MET), default=None)
    below = [
        rate
        for rate, outcome in last.items()
        if outcome is LevelOutcome.MET and (ceiling_rps is None or rate < ceiling_rps)
    ]
    return Bracket(met_rps=max(below, default=None), ceiling_rps=ceiling_rps)


def proof_rate_rps(search: Search, met_rps: float, failed_proofs: int = 0) -> float:
    """Where the limit is proved by a full hold: the margin below the highest rate met, once more for each failure."""
    rate_rps = met_rps * (1 - search.margin_ratio) ** (failed_proofs + 1)
    return _near(rate_rps, (met_rps - rate_rps) / 4)


def between(low_rps: float, high_rps: float) -> float:
    """A rate in the middle, in as few digits as keep it clear of both ends."""
    return _near((low_rps + high_rps) / 2, (high_rps - low_rps) / 4)


def _near(rate_rps: float, room_rps: float) -> float:
    """A rate in as few digits as keep it within so much of this one."""
    return next(
        rate for digits in range(FEWEST_DIGITS, 18) if abs((rate := rounded(rate_rps, digits)) - rate_rps) <= room_rps
    )


def rounded(rate_rps: float, digits: int = FEWEST_DIGITS) -> float:
    """A rate in so many significant digits."""
    return round(rate_rps, digits - 1 - math.floor(math.log10(rate_rps)))


def _may_try_again(search: Search, tried: Sequence[Tried]) -> bool:
    last = tried[-1]
    times = sum(1 for one in tried if one.rate_rps == last.rate_rps)
    return last.outcome is LevelOutcome.VOID and times <= search.void_retries


def _up(search: Search, known: Bracket) -> HoldAt | Found:
    assert known.met_rps is not None
    if known.met_rps >= search.most_rps:
        return Found(bracket=known, because="the highest rate that may be tried was met (`most_share`)")
    higher_rps = known.met_rps * search.growth
    return HoldAt(rate_rps=min(_near(higher_rps, (higher_rps - known.met_rps) / 4), search.most_rps))


def _down(search: Search, known: Bracket) -> HoldAt | Found:
    assert known.ceiling_rps is not None
    lowest_rps = search.start_rps * LOWEST_SHARE
    if known.ceiling_rps - lowest_rps <= search.resolution_ratio * known.ceiling_rps:
        return Found(bracket=known, because="no level was met, down to a sixteenth of the start rate")
    lower_rps = known.ceiling_rps / search.growth
    return HoldAt(rate_rps=max(_near(lower_rps, (known.ceiling_rps - lower_rps) / 4), lowest_rps))
