"""What a finding takes away, by direction: it can make an outcome unproven, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.judge import judge
from slo.objective import Availability, Backlog, ErrorRatio, Journeys, Latency, Objective, Recovery, Scaling, Throughput
from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Outcome, RunOutcome, Verdict
from slo.voiding import EFFECTS, takes_away, with_beside
from tests.slo.builders import autoscaler, client, evidence, finding, journeys, queue, server, spike, table

OBJECTIVES: tuple[Objective, ...] = (
    Throughput(name="throughput"),
    Latency(name="latency", quantile_ratio=0.95, below_ms=450.0),
    ErrorRatio(name="error_ratio", below_ratio=0.04),
    Availability(name="availability", at_least_ratio=0.999),
    Journeys(name="journeys", at_least_ratio=0.95),
    Backlog(name="backlog"),
    Scaling(name="scaling", settled_for_s=20.0),
    Recovery(name="recovery", quantile_ratio=0.95, latency_below_ms=450.0, errors_below_ratio=0.04),
)
KINDS = ("throughput", "latency", "error_ratio", "journeys", "availability", "backlog", "scaling", "steady", "recovery")
GOOD = evidence()
BAD = evidence(
    client=client(failed=10, answered=table([900], [90], 60)),
    server=server(errors=600),
    backlogs=(queue([float(10 * t) for t in range(130)]),),
    autoscalers=(autoscaler(desired=[10.0] * 60, ready=[5.0] * 60),),
    spikes=(spike(failing=range(80)),),
    journeys=(journeys(ended=90, failed=10),),
)

# What each kind may take, by the objective's kind: M a MET, X a MISSED, B both, "." neither. Written down a second time
# on purpose: whoever changes an effect says it twice.
TAKES = {
    #                           throughput latency errors journeys available backlog scaling memory recovery
    FindingKind.SCHEDULE_LAG: "XXXXX...X",
    FindingKind.CONTENTION: "XXXXX...X",
    FindingKind.WORKER_STARVED: "XXXXX...X",
    FindingKind.UNSENT: "XBMBMMMMB",
    FindingKind.LOAD_SHORTFALL: "XMMMMMMMM",
    FindingKind.WORKER_LOST: "XMMMMMMMM",
    FindingKind.WORKER_OOM_KILLED: "XMMMMMMMM",
    FindingKind.WORKER_EVICTED: "XMMMMMMMM",
    FindingKind.NODE_DRAINED: "XMMMMMMMM",
    FindingKind.WORKER_LATE: ".........",
    FindingKind.WORKER_TWICE: ".........",
    FindingKind.BESIDE_TARGET: ".........",
    FindingKind.GENERATOR_GROWS: ".........",
    FindingKind.MASTER_LOST: "BBBBBBBBB",
    FindingKind.CLOCK_SKEW: "BB...BB.B",
    FindingKind.LITTLES_LAW: "BBBBB...B",
    FindingKind.COUNT_MISMATCH: "BBBBBBBBB",
    FindingKind.RECORD_GAP: "BBBBBBBBB",
    FindingKind.LOCAL_PORTS: "XMBBBMMMB",
    FindingKind.FILE_HANDLES: "XMBBBMMMB",
    FindingKind.METRICS_GAP: ".....MMM.",
    FindingKind.RATE_CHANGED: "BBBBBBBBB",
    FindingKind.CUT_SHORT: "MMMMMMMMM",
    FindingKind.FINGERPRINT_CHANGED: "BBBBBBBBB",
    FindingKind.WATCH_BLIND: "......M..",
    FindingKind.ONE_ADDRESS: "BBBBB...B",
    FindingKind.ONE_REPLICA: "BBBBBMBMB",
    FindingKind.CACHED_ANSWERS: "MMMMMMMMM",
    FindingKind.REPEATED: ".........",
    FindingKind.CLOSED_MODEL: ".........",
    FindingKind.USERS_RAISED: "BMMMMMMMM",
    FindingKind.NAMES_FOLDED: ".........",
    FindingKind.OWN_EXIT_CODE: ".........",
}


def by_name(verdict: Verdict) -> dict[str, Outcome]:
    return {one.objective: one.outcome for one in verdict.judgements}


def letter(kind: FindingKind, objective: str) -> str:
    taken = {outcome for outcome in Outcome if takes_away(finding(kind), objective, outcome)}
    return {(): ".", ("met",): "M", ("missed",): "X", ("met", "missed"): "B"}[tuple(sorted(taken))]


@pytest.mark.parametrize("kind", FindingKind)
def test_each_finding_takes_what_it_could_have_produced_and_leaves_what_it_made_harder(kind: FindingKind) -> None:
    assert "".join(letter(kind, objective) for objective in KINDS) == TAKES[kind]


def test_only_what_is_reconciled_over_all_levels_together_bears_on_the_limit_that_they_found() -> None:
    """What else disturbs a level is found in its own seconds, and makes it void."""
    assert [kind for kind in FindingKind if letter(kind, "limit") != "."] == [FindingKind.COUNT_MISMATCH]
    assert letter(FindingKind.COUNT_MISMATCH, "limit") == "B"


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


def around(found: tuple[Finding, ...], *beside: Finding) -> tuple[Finding, ...]:
    return with_beside(found, beside, where="Around the spike", bears_on=("recovery",))


def test_what_only_the_seconds_around_a_spike_show_bears_on_recovery_alone() -> None:
    verdict = judge(OBJECTIVES, BAD, around((), finding(FindingKind.SCHEDULE_LAG)))
    void = {one.objective: one.voided_by for one in verdict.judgements if one.voided_by}
    assert void == {"recovery": ("schedule-lag",)}
    assert verdict.findings[0].what == "Around the spike: schedule-lag was found."


def test_what_the_hold_shows_too_bears_on_all_and_stands_once() -> None:
    lag = finding(FindingKind.SCHEDULE_LAG)
    assert around((lag,), lag) == (lag,)


def test_what_recovery_does_not_rest_on_is_not_told_of_the_seconds_around_a_spike() -> None:
    warned = finding(FindingKind.SCHEDULE_LAG, Severity.WARNS)
    assert around((), finding(FindingKind.METRICS_GAP), finding(FindingKind.WATCH_BLIND), warned) == ()


def test_every_kind_has_its_effects_and_they_name_objectives_that_exist() -> None:
    assert EFFECTS.keys() == TAKES.keys() == set(FindingKind)
    assert {objective for effects in EFFECTS.values() for objective in effects} <= {*KINDS, "limit"}
