"""Journeys: of those that ended in the hold, how many came to their end and did not fail on the way."""

from __future__ import annotations

from slo.answer import Answer, unproven
from slo.evidence import Evidence, JourneysSeen, NotSeen
from slo.objective import Journeys
from slo.verdict import Outcome
from slo.words import asked, number, percent

WORST = 3  # steps that are told, those that fail most often first


def judge_journeys(objective: Journeys, evidence: Evidence) -> Answer:
    """Every flow must reach the share: a rare one that always fails is lost among the others. Counts are exact."""
    target = f"journeys to their end ≥ {asked(objective.at_least_ratio * 100)} %"
    target += f", of {', '.join(objective.flows)}" if objective.flows else ""
    if isinstance(evidence.journeys, NotSeen):
        return unproven(target, evidence.journeys.because)
    seen = [one for one in evidence.journeys if not objective.flows or one.flow in objective.flows]
    unknown = set(objective.flows) - {one.flow for one in seen}
    if unknown:
        return unproven(target, f"no flow of this run is called {' or '.join(map(repr, sorted(unknown)))}")
    nothing = [one.flow for one in seen if not one.ended + one.failed]
    missed = [one for one in seen if one.ended < objective.at_least_ratio * (one.ended + one.failed)]
    outcome = Outcome.MISSED if missed else Outcome.UNPROVEN if nothing or not evidence.hold_complete else Outcome.MET
    worst = min(seen, key=_ratio)
    return Answer(
        outcome=outcome,
        because="; ".join(map(_told, seen)),
        target=target,
        measured=f"{percent(_ratio(worst))}, {worst.flow}" if worst.ended + worst.failed else "—",
        interval="exact count",
        source="golive's own counts",
    )


def _ratio(seen: JourneysSeen) -> float:
    whole = seen.ended + seen.failed
    return seen.ended / whole if whole else 1.0


def _told(seen: JourneysSeen) -> str:
    if not seen.ended + seen.failed:
        return f"{seen.flow}: no journey ended in the hold"
    frequent = sorted(seen.failed_at.items(), key=lambda step: -step[1])[:WORST]
    where = ", ".join(f"{number(count)} at {step}" for step, count in frequent if count)
    came = f"{seen.flow}: {number(seen.ended)} of {number(seen.ended + seen.failed)} came to their end"
    return f"{came} ({percent(_ratio(seen))}){f'; failed: {where}' if where else ''}"
