"""Scaling: at the end of the hold every autoscaler has what it wants, below its maximum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slo.answer import Answer, unproven
from slo.evidence import AutoscalerSeries, Evidence, NotSeen
from slo.objective import Scaling
from slo.verdict import Outcome
from slo.words import instant, number

ENOUGH_SAMPLES_RATIO = 0.5  # of one a second; Prometheus may scrape more seldom


def judge_scaling(objective: Scaling, evidence: Evidence) -> Answer:
    """desired = ready and below max for the last stretch of the hold; never at max while wanting more."""
    target = f"desired = ready, below max, for the last {objective.settled_for_s:g} s of the hold"
    series = evidence.autoscalers
    if isinstance(series, NotSeen):
        return unproven(target, series.because)
    if not series:
        return unproven(target, "no autoscaler was found")
    if evidence.hold.duration_s < objective.settled_for_s:
        return unproven(target, f"the hold lasted {evidence.hold.duration_s:.0f} s, less than that")
    answers = [_autoscaler(one, objective, evidence) for one in series]
    for wanted in (Outcome.MISSED, Outcome.UNPROVEN):
        words = [words for outcome, words in answers if outcome is wanted]
        if words:
            return _answer(wanted, "; ".join(words), target, series)
    return _answer(Outcome.MET, f"all {len(series)} autoscalers settled: {_settled(series, evidence)}", target, series)


def _answer(outcome: Outcome, words: str, target: str, series: tuple[AutoscalerSeries, ...]) -> Answer:
    busiest = max(series, key=lambda one: float(one.desired.max(initial=0)) / max(one.max_replicas, 1))
    top = float(busiest.desired.max(initial=0))
    return Answer(
        outcome=outcome, because=words, target=target,
        measured=f"{busiest.name} up to {number(top)} of {busiest.max_replicas}",
        interval="exact count", source=series[0].source,
    )  # fmt: skip


def _autoscaler(one: AutoscalerSeries, objective: Scaling, evidence: Evidence) -> tuple[Outcome, str]:
    hold = evidence.hold
    held = (one.at_unix_s >= hold.start_unix_s) & (one.at_unix_s <= hold.end_unix_s)
    last = held & (one.at_unix_s >= hold.end_unix_s - objective.settled_for_s)
    if not last.any():
        return Outcome.UNPROVEN, f"{one.name}: nothing was seen of it at the end of the hold"
    wanting = held & one.wanted_more
    if wanting.any():
        since = instant(one.at_unix_s[wanting][0])
        return (
            Outcome.MISSED,
            f"{one.name} wanted more than its maximum of {one.max_replicas} (TooManyReplicas) at {since}",
        )
    if (one.desired[last] >= one.max_replicas).any():
        return Outcome.MISSED, f"{one.name} ended at its maximum of {one.max_replicas}: no headroom"
    unready = last & (one.desired != one.ready)
    if unready.any():
        return _unsettled(one, unready, objective, evidence)
    return Outcome.MET, one.name


def _unsettled(
    one: AutoscalerSeries, unready: NDArray[np.bool_], objective: Scaling, evidence: Evidence
) -> tuple[Outcome, str]:
    """Not settled at the end is missed. Settled late in a short hold proves nothing: the scale-up that the ramp asked
    for reaches into it, and there was no time to see how it goes on.
    """
    places = np.flatnonzero(unready)
    at = int(places[0])
    words = f"{one.name} wanted {number(one.desired[at])} and had {number(one.ready[at])} ready"
    words = f"{words} at {instant(one.at_unix_s[at])}"
    settled_s = evidence.hold.end_unix_s - float(one.at_unix_s[places[-1]])
    if evidence.hold.duration_s < 2 * objective.settled_for_s and settled_s > objective.settled_for_s / 2:
        needed_s = 2 * objective.settled_for_s
        return Outcome.UNPROVEN, f"{words}, settled since {settled_s:.0f} s; a hold of {needed_s:g} s would decide"
    return Outcome.MISSED, f"{words}, within the last {objective.settled_for_s:g} s"


def _settled(series: tuple[AutoscalerSeries, ...], evidence: Evidence) -> str:
    parts = []
    for one in series:
        held = one.at_unix_s <= evidence.hold.end_unix_s
        parts.append(f"{one.name} {number(one.ready[held][-1])} of {one.max_replicas}")
    return ", ".join(parts)
