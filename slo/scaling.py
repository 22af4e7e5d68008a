"""Scaling: at the end of the hold every autoscaler has what it wants, below its maximum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from slo.answer import Answer, unproven
from slo.evidence import AutoscalerSeries, Condition, Evidence, NotSeen, Window
from slo.objective import Scaling
from slo.scale_ups import SLOW, ScaleUp, slowest
from slo.verdict import Outcome
from slo.words import asked, duration, instant, number, seconds

# Two looks of a controller with default settings, and a scrape of metrics-server (15 s each): what is shorter is a
# hiccup that it makes up for. While it cannot read its metrics an autoscaler stands still, and looks settled: where the
# promise itself is about a shorter stretch, so long is too long.
UNABLE_FOR_S = 45.0
STEERING = ("ScalingActive", "AbleToScale")  # without either an autoscaler does nothing
TOO_MANY = "TooManyReplicas"


def judge_scaling(objective: Scaling, evidence: Evidence) -> Answer:
    """desired = ready and below max for the last stretch of the hold; never at max while wanting more."""
    target = f"desired = ready, below max, for the last {asked(objective.settled_for_s)} s of the hold"
    series = evidence.autoscalers
    if isinstance(series, NotSeen):
        return unproven(target, series.because)
    if not series:
        return unproven(target, "no autoscaler was found")
    if evidence.hold.duration_s < objective.settled_for_s:
        return unproven(target, f"the hold lasted {evidence.hold.duration_s:.0f} s, less than that")
    answers = [_autoscaler(one, objective, evidence) for one in series]
    for wanted in (Outcome.MISSED, Outcome.UNPROVEN):
        told = [words for outcome, words in answers if outcome is wanted]
        if told:
            return _answer(wanted, "; ".join(told), target, series)
    words = f"all {len(series)} autoscalers settled: {_settled(series, evidence)}{_scaled_up(series)}"
    return _answer(Outcome.MET, words, target, series)


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
        return Outcome.MISSED, _wanted_more(one, wanting, hold)
    unable = _unable(one, hold, min(UNABLE_FOR_S, objective.settled_for_s))
    if unable:
        return Outcome.UNPROVEN, unable
    if (one.desired[last] >= one.max_replicas).any():
        return Outcome.MISSED, f"{one.name} ended at its maximum of {one.max_replicas}: no headroom"
    unready = last & (one.desired != one.ready)
    if unready.any():
        return _unsettled(one, unready, objective, evidence)
    return Outcome.MET, one.name


def _wanted_more(one: AutoscalerSeries, wanting: NDArray[np.bool_], hold: Window) -> str:
    """At its maximum and wanting more: for how long, and since when."""
    since = instant(float(one.at_unix_s[wanting][0]))
    spacing_s = float(np.median(np.diff(one.at_unix_s))) if len(one.at_unix_s) > 1 else 0.0
    lasted_s = min(float(wanting.sum()) * spacing_s, hold.duration_s)  # each sample stands for the time to the next
    lasted = duration(round(lasted_s)) if spacing_s else "one look"
    wanted = f"at max {one.max_replicas} while wanting more (ScalingLimited: {TOO_MANY})"
    return f"{one.name}: {wanted} for {lasted}, from {since}"


def _unable(one: AutoscalerSeries, hold: Window, allowed_s: float) -> str:
    """Why what it did in the hold says little: it could not steer for too long; "" when it could."""
    stretch = _longest(one, hold, lambda told: told.kind in STEERING and not told.holds)
    if stretch is None or stretch[1].duration_s < allowed_s:
        return ""
    told, window = stretch
    reason = f": {told.reason}" if told.reason else ""
    lasted, since = duration(window.duration_s), instant(window.start_unix_s)
    return (
        f"{one.name} could not steer for {lasted} of the hold, from {since} ({told.kind} false{reason}): "
        "that it stood still proves nothing"
    )


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
    return Outcome.MISSED, f"{words}, within the last {asked(objective.settled_for_s)} s"


def _settled(series: tuple[AutoscalerSeries, ...], evidence: Evidence) -> str:
    parts = []
    for one in series:
        held = one.at_unix_s <= evidence.hold.end_unix_s
        parts.append(f"{one.name} {number(one.ready[held][-1])} of {one.max_replicas}")
    return ", ".join(parts)


def _scaled_up(series: tuple[AutoscalerSeries, ...]) -> str:
    """How many scale-ups there were and how the slowest went; "" without any."""
    ups = [(one.name, up) for one in series for up in one.scale_ups]
    worst = slowest([up for _, up in ups])
    if worst is None:
        return ""
    name = next(name for name, up in ups if up is worst)
    raised = f"{name} {worst.from_replicas} → {worst.to_replicas}"
    took = "never became ready" if worst.took_s is None else f"took {seconds(worst.took_s)} {_since(worst)} to ready"
    blamed = worst.blamed
    why = f", {seconds(blamed.took_s)} of it because {SLOW[blamed.stage]}" if blamed and worst.took_s else ""
    many = "one scale-up" if len(ups) == 1 else f"{len(ups)} scale-ups, the slowest"
    return f"; {many}, {raised}, {took}{why}"


def _since(up: ScaleUp) -> str:
    if up.load_unix_s is None or up.since_unix_s > up.load_unix_s:
        return "from the raise before"
    return "from the load's step" if up.by_step else "from the ramp's beginning"


def _longest(
    one: AutoscalerSeries, hold: Window, wanted: Callable[[Condition], bool]
) -> tuple[Condition, Window] | None:
    """The longest stretch of the hold in which such a condition stood, and its condition; None when there was none.

    Stretches that follow each other at once are one, whatever their reasons.
    """
    stretches: list[tuple[Condition, Window]] = []
    for told in sorted(filter(wanted, one.conditions), key=lambda told: told.window.start_unix_s):
        start = max(told.window.start_unix_s, hold.start_unix_s)
        end = min(told.window.end_unix_s, hold.end_unix_s)
        if end <= start:
            continue
        if stretches and start <= stretches[-1][1].end_unix_s:
            first, before = stretches.pop()
            told, start, end = first, before.start_unix_s, max(end, before.end_unix_s)
        stretches.append((told, Window(start_unix_s=start, end_unix_s=end)))
    return max(stretches, key=lambda stretch: stretch[1].duration_s, default=None)
