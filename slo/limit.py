"""The limit a search found: an interval of rates, and whether it reaches what was asked."""

from __future__ import annotations

from slo.answer import Answer, unproven
from slo.evidence import Evidence, LimitSeen, NotSeen
from slo.level import LevelOutcome, LevelSays
from slo.objective import Limit
from slo.verdict import Outcome
from slo.words import asked, number, percent

UNMET = {
    LevelOutcome.MISSED: "missed",
    LevelOutcome.UNDECIDED: "undecided, which counts as not met,",
    LevelOutcome.VOID: "not measured soundly",
    LevelOutcome.MET: "met",
}


def judge_limit(objective: Limit, evidence: Evidence) -> Answer:
    """Met when both ends are the platform's own, close enough together, and the lower one reaches the rate asked."""
    target = (
        f"found within {asked(objective.resolution_ratio * 100)} %, and at least {asked(objective.at_least_rps)} rps"
    )
    seen = evidence.limit
    if isinstance(seen, NotSeen):
        return unproven(target, seen.because)
    outcome, why = _outcome(objective, seen)
    levels = "One level was" if seen.levels == 1 else f"{seen.levels} levels were"
    return Answer(
        outcome=outcome,
        because=f"{why}{told(seen)} {levels} held; the search ended because {seen.ended_because}.",
        target=target,
        measured=measured(seen),
        interval=_interval(seen),
        source=f"{seen.levels} levels, each judged by the plan's objectives",
    )


def _outcome(objective: Limit, seen: LimitSeen) -> tuple[Outcome, str]:
    """A rate that the platform missed is a limit however wide the interval; else it must be known on both sides."""
    asked = f"The {number(objective.at_least_rps)} rps asked"
    if seen.missed_rps is not None and seen.missed_rps <= objective.at_least_rps:
        return Outcome.MISSED, f"The limit lies below the {number(objective.at_least_rps)} rps asked. "
    if seen.met_rps is None:
        none = "" if seen.missed_rps is not None else ", and none was missed by the platform's own doing"
        return Outcome.UNPROVEN, f"No level was met{none}. "
    if seen.ceiling_rps is None or seen.ceiling is None:
        return Outcome.UNPROVEN, f"Nothing was missed up to {number(seen.met_rps)} rps: the limit lies above. "
    if seen.ceiling.outcome is LevelOutcome.VOID:
        return Outcome.UNPROVEN, "NOT PROVEN above it: what ended there was the measurement, not the platform. "
    if width_ratio(seen) > objective.resolution_ratio:
        return Outcome.UNPROVEN, f"The interval is {percent(width_ratio(seen))} wide, wider than asked. "
    if seen.ceiling_rps <= objective.at_least_rps:
        return Outcome.UNPROVEN, f"{asked} lie above the interval, whose upper end is undecided and not missed. "
    if seen.met_rps < objective.at_least_rps:
        return Outcome.UNPROVEN, f"{asked} lie inside the interval. "
    return Outcome.MET, ""


def width_ratio(seen: LimitSeen) -> float:
    """How wide the interval is, as a share of its upper end; 1 where an end is missing."""
    if seen.met_rps is None or seen.ceiling_rps is None:
        return 1.0
    return (seen.ceiling_rps - seen.met_rps) / seen.ceiling_rps


def told(seen: LimitSeen) -> str:
    """Both ends in a sentence, and what stood in the way at the upper one; where the platform itself gave way, too."""
    lower = f"Met at {number(seen.met_rps)} rps" if seen.met_rps is not None else "Met nowhere"
    if seen.ceiling_rps is None or seen.ceiling is None:
        return f"{lower}."
    words = f"{lower}; {_unmet(seen.ceiling, seen.ceiling_rps)}"
    if seen.missed is None or seen.missed_rps is None or seen.missed_rps == seen.ceiling_rps:
        return f"{words}."
    return f"{words}; {_unmet(seen.missed, seen.missed_rps)}."


def _unmet(says: LevelSays, rate_rps: float) -> str:
    by = f" by {', '.join(says.by)}" if says.by else ""
    return f"{UNMET[says.outcome]} at {number(rate_rps)} rps{by}: {says.because}"


def measured(seen: LimitSeen) -> str:
    """The limit as a figure."""
    return f"{number(seen.met_rps)} rps met" if seen.met_rps is not None else "no rate met"


def _interval(seen: LimitSeen) -> str:
    low = number(seen.met_rps) if seen.met_rps is not None else "0"
    high = number(seen.ceiling_rps) if seen.ceiling_rps is not None else "not found"
    return f"{low} – {high} rps"
