"""Steady: memory does not creep up over the hold. Judged by the slope, with its interval."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from slo.answer import Answer, unproven
from slo.evidence import Evidence, NotSeen, ResourceSeries
from slo.intervals import Interval
from slo.objective import Steady
from slo.sample_size import CONFIDENCE_RATIO
from slo.verdict import Outcome
from slo.words import duration

Floats = NDArray[np.float64]

# Neighbouring samples share their fate (garbage collection, a cache that fills): means of so many stretches are nearly
# independent of one another (batch means), so the interval of their Theil–Sen slope (Sen 1968) may be believed.
STRETCHES = 20
HOUR_S = 3600.0


def judge_steady(objective: Steady, evidence: Evidence) -> Answer:
    """No resource may grow faster than the share of its level an hour: the whole interval must lie below it."""
    target = f"grows < {objective.below_ratio_per_hour * 100:g} % an hour"
    series = evidence.resources
    if isinstance(series, NotSeen):
        return unproven(target, series.because)
    if not series:
        return unproven(target, "no memory was seen of anything")
    answers = [(one, *_resource(one, objective, evidence)) for one in series]
    for wanted in (Outcome.MISSED, Outcome.UNPROVEN, Outcome.MET):
        told = [(one, words) for one, outcome, words, _ in answers if outcome is wanted]
        if told:
            steepest = max((interval.high for *_, interval in answers if interval), default=math.nan)
            return Answer(
                outcome=wanted, because="; ".join(words for _, words in told), target=target,
                measured="—" if math.isnan(steepest) else f"at most {steepest * 100:+.1f} % an hour",
                interval="95 %, of the slope", source=told[0][0].source,
            )  # fmt: skip
    return unproven(target, "nothing could be judged")


def _resource(one: ResourceSeries, objective: Steady, evidence: Evidence) -> tuple[Outcome, str, Interval | None]:
    hold = evidence.hold
    held = (one.at_unix_s >= hold.start_unix_s) & (one.at_unix_s < hold.end_unix_s) & np.isfinite(one.value)
    at_s, value = one.at_unix_s[held], one.value[held]
    if len(at_s) < 2 * STRETCHES or at_s[-1] - at_s[0] < objective.at_least_s:
        seen_s = float(at_s[-1] - at_s[0]) if len(at_s) else 0.0
        needed = f"{duration(objective.at_least_s)} and {2 * STRETCHES} samples are needed"
        return Outcome.UNPROVEN, f"{one.name}: {len(at_s)} samples over {duration(seen_s)}; {needed}", None
    level = float(np.median(value))
    if level <= 0:
        return Outcome.MET, f"{one.name}: nothing of it was in use", None
    slope = slope_interval(at_s, value)
    hourly = Interval(low=slope.low * HOUR_S / level, high=slope.high * HOUR_S / level)
    words = f"{one.name}: {hourly.low * 100:+.1f} to {hourly.high * 100:+.1f} % an hour"
    if hourly.high < objective.below_ratio_per_hour:
        return Outcome.MET, words, hourly
    if hourly.low >= objective.below_ratio_per_hour:
        return Outcome.MISSED, f"{words}{_reaches(one, float(value[-1]), slope)}", hourly
    return Outcome.UNPROVEN, f"{words}: the limit lies inside the interval, a longer hold would decide", hourly


def slope_interval(at_s: Floats, value: Floats) -> Interval:
    """The 95 % interval of what the value gains a second: Theil–Sen over the means of equal stretches."""
    groups = np.array_split(np.arange(len(at_s)), STRETCHES)
    times = np.array([at_s[group].mean() for group in groups])
    means = np.array([value[group].mean() for group in groups])
    _, _, low, high = theilslopes(means, times, alpha=CONFIDENCE_RATIO)
    return Interval(low=float(low), high=float(high))


def _reaches(one: ResourceSeries, last: float, slope: Interval) -> str:
    """When it would reach its limit, where there is one: by both ends of the interval."""
    if one.limit is None or one.limit <= last:
        return ""
    soonest_h, latest_h = ((one.limit - last) / gain / HOUR_S for gain in (slope.high, slope.low))
    return f"; it reaches its limit in {soonest_h:,.1f} to {latest_h:,.1f} h"
