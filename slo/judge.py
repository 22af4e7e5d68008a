"""The judge: each objective by its evidence, less what the findings take away; then the run."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from slo.answer import Answer
from slo.backlog import judge_backlog
from slo.errors import judge_availability, judge_error_ratio
from slo.evidence import Evidence, NotSeen
from slo.journeys import judge_journeys
from slo.latency import judge_latency
from slo.limit import judge_limit
from slo.objective import (
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
    about,
)
from slo.recovery import judge_recovery
from slo.scaling import judge_scaling
from slo.steady import judge_steady
from slo.throughput import judge_throughput
from slo.validity import Finding
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict
from slo.voiding import takes_away


def judge(objectives: tuple[Objective, ...], evidence: Evidence, findings: tuple[Finding, ...]) -> Verdict:
    """Judge every objective. Missing evidence is UNPROVEN, never a pass."""
    judgements = tuple(_weighed(one, _answer(one, _of_its_requests(one, evidence)), findings) for one in objectives)
    return Verdict(outcome=run_outcome(judgements), judgements=judgements, findings=findings)


def run_outcome(judgements: tuple[Judgement, ...]) -> RunOutcome:
    """PASSED when every required objective is met, FAILED when one is missed, else NOT PROVEN."""
    required = [judgement.outcome for judgement in judgements if judgement.required]
    if Outcome.MISSED in required:
        return RunOutcome.FAILED
    if required and all(outcome is Outcome.MET for outcome in required):
        return RunOutcome.PASSED
    return RunOutcome.NOT_PROVEN


def _of_its_requests(objective: Objective, evidence: Evidence) -> Evidence:
    """The evidence of the requests it speaks of; what the platform tells, it tells of all of them together."""
    requests = about(objective)
    if not requests:
        return evidence
    client = evidence.parts.get(requests, NotSeen("nobody counted these requests by themselves"))
    return replace(evidence, client=client, server=NotSeen("the platform's metrics are of all requests"))


def _answer(objective: Objective, evidence: Evidence) -> Answer:
    match objective:
        case Throughput():
            return judge_throughput(objective, evidence)
        case Latency():
            return judge_latency(objective, evidence)
        case ErrorRatio():
            return judge_error_ratio(objective, evidence)
        case Availability():
            return judge_availability(objective, evidence)
        case Journeys():
            return judge_journeys(objective, evidence)
        case Recovery():
            return judge_recovery(objective, evidence)
        case _:
            return _of_platform(objective, evidence)


def _of_platform(objective: Backlog | Scaling | Steady | Limit, evidence: Evidence) -> Answer:
    match objective:
        case Backlog():
            return judge_backlog(objective, evidence)
        case Scaling():
            return judge_scaling(objective, evidence)
        case Steady():
            return judge_steady(objective, evidence)
        case Limit():
            return judge_limit(objective, evidence)
        case _:
            assert_never(objective)


def _weighed(objective: Objective, answer: Answer, findings: tuple[Finding, ...]) -> Judgement:
    """The answer, or UNPROVEN where a finding could have produced it."""
    against = [finding for finding in findings if takes_away(finding, objective.kind, answer.outcome)]
    outcome, because = answer.outcome, answer.because
    if against:
        # The findings stand whole beside the judgements; here their kinds are enough.
        causes = ", ".join(dict.fromkeys(finding.kind.value for finding in against))
        because = f"{answer.outcome.value.upper()} by the figures, but void ({causes}): {answer.because}"
        outcome = Outcome.UNPROVEN
    return Judgement(
        objective=objective.name,
        kind=objective.kind,
        outcome=outcome,
        because=because,
        target=answer.target + (f", of {', '.join(about(objective))}" if about(objective) else ""),
        measured=answer.measured,
        interval=answer.interval,
        source=answer.source,
        required=objective.required,
        server_side=answer.server_side,
        voided_by=tuple(dict.fromkeys(finding.kind.value for finding in against)),
    )
