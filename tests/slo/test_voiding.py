"""What a finding takes away, by direction: it can make an outcome unproven, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.judge import judge
from slo.objective import Availability, Backlog, ErrorRatio, Latency, Objective, Scaling, Steady, Throughput
from slo.validity import FindingKind, Severity
from slo.verdict import Outcome, RunOutcome, Verdict
from slo.voiding import EFFECTS, takes_away
from tests.slo.builders import autoscaler, client, evidence, finding, queue, server, table

OBJECTIVES: tuple[Objective, ...] = (
    Throughput(name="throughput"),
    Latency(name="latency", quantile_ratio=0.95, below_ms=450.0),
    ErrorRatio(name="error_ratio", below_ratio=0.04),
    Availability(name="availability", at_least_ratio=0.999),
    Backlog(name="backlog"),
    Scaling(name="scaling", settled_for_s=20.0),
)
KINDS = (*(objective.kind for objective in OBJECTIVES), Steady(name="memory").kind)
GOOD = evidence()
BAD = evidence(
    client=client(failed=10, answered=table([900], [90], 60)),
    server=server(errors=600),
    backlogs=(queue([float(10 * t) for t in range(130)]),),
    autoscalers=(autoscaler(desired=[10.0] * 60, ready=[5.0] * 60),),
)

# What each kind may take, by the objective's kind: M a MET, X a MISSED, B both, "." neither. Written down a second time
# on purpose: whoever changes an effect says it twice.
TAKES = {
    #                           throughput latency errors available backlog scaling memory
    FindingKind.SCHEDULE_LAG: "XXXX...",
    FindingKind.CONTENTION: "XXXX...",
    FindingKind.WORKER_STARVED: "XXXX...",
    FindingKind.UNSENT: "XBMMMMM",
    FindingKind.LOAD_SHORTFALL: "XMMMMMM",
    FindingKind.WORKER_LOST: "XMMMMMM",
    FindingKind.WORKER_OOM_KILLED: "XMMMMMM",
    FindingKind.WORKER_EVICTED: "XMMMMMM",
    FindingKind.NODE_DRAINED: "XMMMMMM",
    FindingKind.WORKER_LATE: ".......",
    FindingKind.WORKER_TWICE: ".......",
    FindingKind.BESIDE_TARGET: ".......",
    FindingKind.MASTER_LOST: "BBBBBBB",
    FindingKind.CLOCK_SKEW: "BB..BB.",
    FindingKind.LITTLES_LAW: "BBBB...",
    FindingKind.COUNT_MISMATCH: "BBBB...",
    FindingKind.RECORD_GAP: "BBBB...",
    FindingKind.LOCAL_PORTS: "XMBBMMM",
    FindingKind.FILE_HANDLES: "XMBBMMM",
    FindingKind.METRICS_GAP: "....MMM",
    FindingKind.RATE_CHANGED: "BBBBBBB",
    FindingKind.CUT_SHORT: "MMMMMMM",
    FindingKind.FINGERPRINT_CHANGED: "BBBBBBB",
    FindingKind.WATCH_BLIND: ".....M.",
    FindingKind.ONE_ADDRESS: "BBBB...",
    FindingKind.ONE_REPLICA: "BBBBMBM",
    FindingKind.CACHED_ANSWERS: "MMMMMMM",
    FindingKind.CLOSED_MODEL: ".......",
}


def by_name(verdict: Verdict) -> dict[str, Outcome]:
    return {one.objective: one.outcome for one in verdict.judgements}


def letter(kind: FindingKind, objective: str) -> str:
    taken = {outcome for outcome in Outcome if takes_away(finding(kind), objective, outcome)}
    return {(): ".", ("met",): "M", ("missed",): "X", ("met", "missed"): "B"}[tuple(sorted(taken))]


@pytest.mark.parametrize("kind", FindingKind)
def test_each_finding_takes_what_it_could_have_produced_and_leaves_what_it_made_harder(kind: FindingKind) -> None:
    assert "".join(letter(kind, objective) for objective in KINDS) == TAKES[kind]


def test_the_good_run_meets_and_the_bad_one_misses_all_of_it() -> None:
    assert set(by_name(judge(OBJECTIVES, GOOD, ())).values()) == {Outcome.MET}
    assert set(by_name(judge(OBJECTIVES, BAD, ())).values()) == {Outcome.MISSED}


FOUND = st.lists(st.builds(finding, st.sampled_from(FindingKind), st.sampled_from(Severity)), max_size=6)


@given(found=FOUND, seen=st.sampled_from([GOOD, BAD]))
def test_findings_make_an_outcome_unproven_or_leave_it_and_never_turn_it(found: list, seen: object) -> None:  # type: ignore[type-arg]
    without, with_them = (by_name(judge(OBJECTIVES, seen, tuple(one))) for one in ([], found))  # type: ignore[arg-type]
    for objective, outcome in with_them.items():
        taken = any(takes_away(one, objective, without[objective]) for one in found)
        assert outcome is (Outcome.UNPROVEN if taken else without[objective])


@given(found=FOUND, more=FOUND, seen=st.sampled_from([GOOD, BAD]))
def test_more_findings_never_prove_more(found: list, more: list, seen: object) -> None:  # type: ignore[type-arg]
    few, many = (by_name(judge(OBJECTIVES, seen, tuple(one))) for one in (found, found + more))  # type: ignore[arg-type]
    assert all(few[name] is outcome for name, outcome in many.items() if outcome is not Outcome.UNPROVEN)


@given(found=FOUND)
def test_no_finding_passes_a_run_that_failed_or_fails_one_that_passed(found: list) -> None:  # type: ignore[type-arg]
    assert judge(OBJECTIVES, GOOD, tuple(found)).outcome is not RunOutcome.FAILED
    assert judge(OBJECTIVES, BAD, tuple(found)).outcome is not RunOutcome.PASSED


@given(kind=st.sampled_from(FindingKind), objective=st.sampled_from(KINDS), outcome=st.sampled_from(Outcome))
def test_what_is_only_told_takes_nothing_away_and_nothing_takes_an_unproven(
    kind: FindingKind, objective: str, outcome: Outcome
) -> None:
    assert not takes_away(finding(kind, Severity.WARNS), objective, outcome)
    assert not takes_away(finding(kind), objective, Outcome.UNPROVEN)


def test_every_kind_has_its_effects_and_they_name_objectives_that_exist() -> None:
    assert EFFECTS.keys() == TAKES.keys() == set(FindingKind)
    assert {objective for effects in EFFECTS.values() for objective in effects} <= set(KINDS)
