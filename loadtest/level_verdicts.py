"""The judgement of a search's levels, from the record alone. The CLI's own half."""

from __future__ import annotations

from dataclasses import replace

from analysis.client_load import with_parts
from analysis.driven import DrivenLevel, driven_levels, driven_proofs
from analysis.levels import level_evidence
from analysis.measurement import quantiles_us
from analysis.results import RunRecord
from scenarios.search import Tried, bracket_of
from slo.evidence import Evidence, LimitSeen, NotSeen
from slo.findings import find
from slo.judge import judge
from slo.level import JudgedLevel, LevelOutcome, LevelSays, level_says, of_a_level
from slo.objective import Objective, Scaling
from slo.validity import FindingKind, Measurement
from slo.words import number

BY_PROMETHEUS = ("backlog", "scaling")  # kinds of objectives that only it can show
OWN_REFUSALS = {"local ports": FindingKind.LOCAL_PORTS.value, "file handles": FindingKind.FILE_HANDLES.value}
STILL_ON = "the run was ended before its search had"


def judged_levels(
    record: RunRecord, objectives: tuple[Objective, ...] | None = None, *, under_way: bool = False
) -> tuple[JudgedLevel, ...]:
    """Every level that was held, judged from the record. objectives: others than the plan's; under_way: it grows."""
    asked = record.plan.objectives if objectives is None else objectives
    levels = driven_levels(record.events)
    return tuple(_judged(record, level, asked, level_evidence(record, level, under_way=under_way)) for level in levels)


def judged_proofs(record: RunRecord, objectives: tuple[Objective, ...] | None = None) -> tuple[JudgedLevel, ...]:
    """Every proof that was held to its end, as levels are: the last one is the run's own hold, the others failed."""
    asked = record.plan.objectives if objectives is None else objectives
    return tuple(_judged(record, one, asked, level_evidence(record, one)) for one in driven_proofs(record.events))


def limit_seen(
    record: RunRecord, levels: tuple[JudgedLevel, ...], proofs: tuple[JudgedLevel, ...] = ()
) -> LimitSeen | NotSeen:
    """Where the levels put the limit, and what the proofs say to it.

    A full hold that is missed refutes what a level of seconds had met above it; one that proves nothing refutes none.
    """
    if record.plan.search is None:
        return NotSeen("no search was made")
    if not levels:
        return NotSeen("no level was held to its end")
    last = {one.rate_rps: one.says for one in levels}  # of one rate the last word counts
    last |= {
        one.rate_rps: _in_full(one) for one in proofs if one.says.outcome in (LevelOutcome.MET, LevelOutcome.MISSED)
    }
    known = bracket_of([Tried(rate_rps=rate_rps, outcome=says.outcome) for rate_rps, says in last.items()])
    missed_rps = min((rate for rate, says in last.items() if says.outcome is LevelOutcome.MISSED), default=None)
    ended = record.happened("search_ended")
    return LimitSeen(
        met_rps=known.met_rps,
        ceiling_rps=known.ceiling_rps,
        ceiling=last[known.ceiling_rps] if known.ceiling_rps is not None else None,
        levels=len(levels),
        ended_because=str(ended[-1].fields["because"]) if ended else STILL_ON,
        missed_rps=missed_rps,
        missed=last[missed_rps] if missed_rps is not None else None,
    )


def _in_full(proof: JudgedLevel) -> LevelSays:
    return replace(proof.says, because=f"in the proof's hold of {proof.held_s:.0f} s {proof.says.because}")


def _judged(
    record: RunRecord, level: DrivenLevel, objectives: tuple[Objective, ...], seen: tuple[Evidence, Measurement]
) -> JudgedLevel:
    evidence, measurement = seen
    asked = tuple(_within(one, evidence.hold.duration_s) for one in of_a_level(objectives))
    evidence = with_parts(record, evidence, asked)
    verdict = judge(asked, evidence, find(measurement, evidence, record.plan.thresholds))
    besides = () if record.plan.target.prometheus_url else BY_PROMETHEUS
    says = _aborted(record, level) or level_says(verdict, besides=besides)
    return JudgedLevel(
        number=level.number, rate_rps=level.rate_rps, offered_rps=level.offered_rps, from_unix_s=level.from_unix_s,
        held_s=evidence.hold.duration_s, says=says, said_live=level.said_live, held_because=level.because,
        judgements=verdict.judgements, **_figures(evidence),
    )  # fmt: skip


def _within(objective: Objective, held_s: float) -> Objective:
    """Settled for as long as the level was held, where the promise is about longer."""
    if isinstance(objective, Scaling) and objective.settled_for_s > held_s:
        return replace(objective, settled_for_s=max(held_s, 1.0))
    return objective


def _aborted(record: RunRecord, level: DrivenLevel) -> LevelSays | None:
    """An abort limit's word is final: the platform's when requests failed, ours when we did not send or not connect."""
    if not level.aborted:
        return None
    refused = _refused_by_us(record, level)
    if refused:
        few = " and ".join(f"{number(count)} for want of {kind}" for kind, count in refused.items())
        because = f"{level.aborted_what}; of the failed {few} on golive's own machine"
        return LevelSays(outcome=LevelOutcome.VOID, by=tuple(OWN_REFUSALS[kind] for kind in refused), because=because)
    return LevelSays(
        outcome=LevelOutcome.VOID if level.aborted == "behind_for_s" else LevelOutcome.MISSED,
        by=(f"abort limit {level.aborted}",),
        because=level.aborted_what,
    )


def _refused_by_us(record: RunRecord, level: DrivenLevel) -> dict[str, int]:
    """How many requests of the whole leg our own machine refused to connect, by kind; as findings, one is enough."""
    failures = record.failures
    inside = failures[failures["second"].between(int(level.began_unix_s), int(level.ended_unix_s))]
    counts = {kind: int(inside.loc[inside["kind"] == kind, "count"].sum()) for kind in OWN_REFUSALS}
    return {kind: count for kind, count in counts.items() if count}


def _figures(evidence: Evidence) -> dict[str, float | None]:
    client = evidence.client
    if isinstance(client, NotSeen):
        return dict.fromkeys(("answered_rps", "p95_ms", "p99_ms", "failed_ratio"))
    p95_us, p99_us = quantiles_us(client.answered, (0.95, 0.99))
    sent = int(client.decided.sum())
    return {
        "answered_rps": float(client.fulfilled.sum() / max(len(client.ok), 1)),
        "p95_ms": p95_us / 1000 if client.answered.total else None,
        "p99_ms": p99_us / 1000 if client.answered.total else None,
        "failed_ratio": int(client.failed.sum()) / sent if sent else None,
    }
