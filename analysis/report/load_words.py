"""What was driven, in words: the plan's rate, its judged stretch and when it was."""

from __future__ import annotations

from analysis.report.wording import NOTHING, count, duration, figure, instant, plural, rate
from analysis.results import RunRecord
from scenarios.plan import Plan
from scenarios.profile import Phase
from slo.evidence import Evidence, NotSeen
from slo.objective import Throughput

Fact = tuple[str, str]

ENDED = {
    "running": "killed before it was closed, or still running",
    "complete": "ended as planned",
    "stopped": "stopped by hand",
    "interrupted": "interrupted",
    "aborted": "ended by golive at an abort limit",
    "failed": "golive failed",
}


def facts(record: RunRecord, evidence: Evidence) -> tuple[Fact, ...]:
    """What was tested, when, and by what."""
    header, plan = record.header, record.plan
    machine = header.machine
    cores = f" ({plural(int(machine['cores']), 'core')})" if str(machine.get("cores", "")).isdigit() else ""
    engine = header.versions.get("engine", "")
    tools = f"golive {header.golive_version}{', engine ' + engine if engine else ''}"
    others = (("Judged by", f"{record.objectives_of}: other objectives than the plan's own"),)
    return (
        ("Plan", f"{header.plan_name}, workload {plan.workload.name} ({_kinds(plan)})"),
        *(others if record.objectives_of else ()),
        ("Rate", f"to prove {rate(plan.rate_to_prove_rps)}; offered {offered(plan)}"),
        ("Hold", _hold(plan, evidence)),
        ("When", f"{when(record)}; {_ended(record)}"),
        ("By", f"{tools}; {plural(header.workers, 'worker')} on {machine.get('name', NOTHING)}{cores}"),
        ("Run", header.run_id),
    )  # fmt: skip


def _kinds(plan: Plan) -> str:
    flows = plan.workload.flows
    journeys = f" in {plural(len(flows), 'flow')} and by themselves" if flows and plan.workload.requests else ""
    return f"{plural(len(plan.workload.kinds), 'kind')} of request{journeys}"


def offered(plan: Plan) -> str:
    """The rate the plan asks for in its judged stretch."""
    if plan.closed:
        return f"what comes from {plural(plan.closed.users, 'Locust user')} (closed model)"
    judged = _judged(plan)
    if not judged:
        return "nothing that is judged"
    rates = {rate_rps for phase in judged for rate_rps in (phase.from_rps, phase.to_rps)}
    return rate(max(rates)) if len(rates) == 1 else f"{figure(min(rates))} to {rate(max(rates))}"


def driven(record: RunRecord, evidence: Evidence) -> str:
    """What the verdict's sentence says of the load: "at 30,000 requests/s for 3 min"; "" when there was none."""
    if isinstance(evidence.client, NotSeen) or not int(evidence.client.sent.sum()):
        return ""
    plan = record.plan
    proven = any(isinstance(one, Throughput) for one in plan.objectives)
    load = f"at {rate(plan.rate_to_prove_rps)}" if proven else f"with {offered(plan)} offered"
    stage = ", on golive's own rehearsal stage" if record.header.rehearsal else ""
    return f"{load} for {duration(evidence.hold.duration_s)}{stage}"


def when(record: RunRecord) -> str:
    """From the start of the load (or of the run) and how long it took."""
    header = record.header
    start_unix_s = header.created_unix_s if header.t0_unix_s is None else header.t0_unix_s
    end_unix_s = header.watched_until_unix_s or header.load_end_unix_s
    if end_unix_s is None and not record.counts.empty:
        end_unix_s = float(record.counts["second"].max() + 1)
    watch = " with the watch after it" if header.watched_until_unix_s else ""
    took = f", {duration(end_unix_s - start_unix_s)}{watch}" if end_unix_s else ""
    return f"{instant(start_unix_s)}{took}"


def phase_rates(phase: Phase) -> str:
    """A phase's line: "0 → 31,500" or "31,500"."""
    if phase.from_rps == phase.to_rps:
        return count(phase.to_rps)
    return f"{count(phase.from_rps)} → {count(phase.to_rps)}"


def _hold(plan: Plan, evidence: Evidence) -> str:
    planned_s = sum(phase.duration_s for phase in _judged(plan))
    phases = plan.profile.phases
    first = next((place for place, phase in enumerate(phases) if phase.judged), len(phases))
    before_s = sum(phase.duration_s for phase in phases[:first])
    after_s = plan.profile.duration_s - before_s - planned_s
    before = "search came before it" if plan.search else "warm-up is driven but not judged"
    warm = f" {duration(before_s)} of {before}." if before_s else ""
    after = f" Load goes on for {duration(after_s)} after it." if round(after_s, 3) > 0 else ""
    seen_s = evidence.hold.duration_s
    cut = "" if evidence.hold_complete else f" Only {duration(seen_s)} of it happened."
    return f"{duration(planned_s)} judged.{cut}{warm}{after}"


def _ended(record: RunRecord) -> str:
    header = record.header
    how = ENDED.get(header.ended, header.ended)
    why = header.ended_because
    return f"{how}: {why}" if why and header.ended != "complete" else how


def _judged(plan: Plan) -> tuple[Phase, ...]:
    return tuple(phase for phase in plan.profile.phases if phase.judged)
