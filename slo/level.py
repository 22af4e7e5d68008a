"""What one level of a search showed: a rate that was held, and whether the objectives were met there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from slo.objective import Journeys, Limit, Objective, Recovery, Steady
from slo.verdict import Judgement, Outcome, Verdict


class LevelOutcome(StrEnum):
    """The answer to one level. Only MET counts as met; only MISSED is the platform's own word against it."""

    MET = "met"
    MISSED = "missed"
    UNDECIDED = "undecided"  # its time was spent with an objective still open
    VOID = "void"  # the measurement was disturbed: it says nothing about the platform


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSays:
    """The outcome of a level, by which objectives (or findings, where it is void), and in words."""

    outcome: LevelOutcome
    by: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLevel:
    """One level of a search with its figures. Figures are None where nothing was seen."""

    number: int
    rate_rps: float  # to prove
    offered_rps: float
    from_unix_s: float
    held_s: float
    says: LevelSays
    said_live: str  # what was said of it while the run went on, and what the next level followed from
    held_because: str  # why it was held no longer
    answered_rps: float | None
    p95_ms: float | None
    p99_ms: float | None
    failed_ratio: float | None
    judgements: tuple[Judgement, ...]


def of_a_level(objectives: Iterable[Objective]) -> tuple[Objective, ...]:
    """Those of a plan's objectives that one held rate can answer: the others ask about the run as a whole."""
    return tuple(one for one in objectives if not isinstance(one, Journeys | Limit | Recovery | Steady))


def level_says(verdict: Verdict, *, besides: Iterable[str] = ()) -> LevelSays:
    """A level's outcome by its judged objectives: one missed is enough; to be met takes all that are required.

    besides: kinds of objectives that do not count here.
    """
    counted = [one for one in verdict.judgements if one.required and one.kind not in set(besides)]
    missed = _of(counted, Outcome.MISSED)
    if missed:
        return _says(LevelOutcome.MISSED, missed)
    open_still = _of(counted, Outcome.UNPROVEN)
    void = [one for one in open_still if one.voided_by]
    if void:
        causes = tuple(dict.fromkeys(kind for one in void for kind in one.voided_by))
        what = [finding.what for finding in verdict.findings if finding.kind.value in causes]
        return LevelSays(outcome=LevelOutcome.VOID, by=causes, because=" ".join(dict.fromkeys(what)))
    if open_still or not counted:
        return _says(LevelOutcome.UNDECIDED, open_still)
    return LevelSays(outcome=LevelOutcome.MET, because="; ".join(f"{one.objective} {one.measured}" for one in counted))


def _of(judgements: Iterable[Judgement], outcome: Outcome) -> list[Judgement]:
    return [one for one in judgements if one.outcome is outcome]


def _says(outcome: LevelOutcome, judgements: list[Judgement]) -> LevelSays:
    return LevelSays(
        outcome=outcome,
        by=tuple(one.objective for one in judgements),
        because="; ".join(f"{one.objective}: {one.because}" for one in judgements) or "no objective was judged",
    )
