"""What no plan may ask for, and the careful start that real targets get. Pure."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from scenarios.errors import PlanError
from scenarios.objective_check import meant_as_ratio, objective_problems
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.recovery_check import recovery_problems
from scenarios.search_check import search_problems
from scenarios.target import TargetClass
from scenarios.transport import transport_problems
from scenarios.workload import Workload
from scenarios.workload_check import LONGEST_TIMEOUT_S, problems_of
from slo.objective import Journeys, Latency, Limit, Recovery, Throughput, about

CANARY_S = 60.0
CANARY_SHARE = 0.01


def with_canary(profile: Profile) -> Profile:
    """The profile after a minute at 1 % of its peak: outside a rehearsal the first packet is a question."""
    rps = profile.peak_rps * CANARY_SHARE
    canary = Phase(
        name="canary", duration_s=CANARY_S, from_rps=rps, to_rps=rps, judged=False, beside_share=CANARY_SHARE
    )  # fmt: skip
    return Profile(phases=(canary, *profile.phases))


def check_plan(plan: Plan) -> None:
    """Raise PlanError with everything that is wrong."""
    problems = [*_profile(plan), *_workload(plan.workload), *_flows(plan), *_limits(plan), *_writes(plan)]
    problems += [*objective_problems(plan.objectives), *_looked_for(plan), *_asked_of(plan)]
    problems += [*_never_missed(plan), *recovery_problems(plan), *search_problems(plan)]
    if problems:
        raise PlanError("\n".join(f"{plan.name}: {problem}" for problem in problems), remedy="Mend the plan.")


def _workload(workload: Workload) -> list[str]:
    """Python does not hold a workload's values to their types; what cannot even be looked at is of another one."""
    try:
        return list(problems_of(workload))
    except (TypeError, AttributeError) as wrong:
        raise PlanError(
            f"workload {workload.name!r}: a value has another type than scenarios/workload.py gives it: {wrong}.",
            remedy="Mend it; a tuple of one needs its comma: expect=(200,), requests=(ONE,).",
        ) from wrong


def _profile(plan: Plan) -> Iterator[str]:
    phases = plan.profile.phases
    names = [phase.name for phase in phases]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two phases are called {name!r}"
    judged = [index for index, phase in enumerate(phases) if phase.judged]
    if not judged:
        yield "no phase is judged"
        return
    if judged != list(range(judged[0], judged[-1] + 1)):
        yield "the judged phases do not follow one another"
    if plan.sending.arrivals == "closed":
        yield "sending.arrivals: closed keeps no rate (each connection asks again when it is answered); a plan has one"
    if plan.profile.arrivals_by(plan.profile.duration_s) < 1:
        yield "nothing is due in the whole plan"
    held_s = sum(phases[index].duration_s for index in judged)
    for objective in plan.objectives:
        if isinstance(objective, Throughput) and held_s < objective.window_s:
            yield f"a hold of {held_s:g} s is shorter than one throughput window ({objective.window_s} s)"


def _flows(plan: Plan) -> Iterator[str]:
    """A journey that the load is too short for would never be seen to its end."""
    for flow in plan.workload.flows:
        least_s = sum(step.think_s[0] for step in flow.steps)
        if least_s >= plan.profile.duration_s:
            yield f"flow {flow.name!r} thinks for {least_s:g} s at least; the load lasts {plan.profile.duration_s:g} s"


def _limits(plan: Plan) -> Iterator[str]:
    sending = plan.sending
    if not 1 <= plan.workers <= 1000:
        yield f"workers {plan.workers} is not 1 to 1,000"
    if not 1 <= sending.engine_threads <= 64:
        yield f"sending.engine_threads {sending.engine_threads} is not 1 to 64"
    if not sending.engine_threads <= sending.connections <= 60_000:
        yield f"sending.connections {sending.connections} is not one a thread to 60,000"
    if not 0 <= sending.grid_us <= 100_000:
        yield f"sending.grid_us {sending.grid_us} is not 0 to 100,000"
    if not 0 < sending.connect_timeout_s <= LONGEST_TIMEOUT_S:
        yield f"sending.connect_timeout_s {sending.connect_timeout_s} is not above 0 and at most 60"
    for problem in transport_problems(plan.tls, sending.connection):
        yield f"sending: {problem}"
    yield from _drawn_and_shared(plan)
    yield from _what_counts_against_it(plan)


def _looked_for(plan: Plan) -> Iterator[str]:
    """A limit is found by a search alone."""
    for objective in plan.objectives:
        if isinstance(objective, Limit) and plan.search is None:
            yield f"{objective.name}: no limit is looked for, since the plan has no `search`"


def _asked_of(plan: Plan) -> Iterator[str]:
    """Requests and flows that an objective names; the requests of a locustfile nobody knows beforehand."""
    workload, flows = plan.workload.name, [flow.name for flow in plan.workload.flows]
    requests = [*(request.name for request in plan.workload.kinds), *flows]
    for one in plan.objectives:
        if isinstance(one, Journeys):
            if not flows:
                yield f"{one.name}: workload {workload!r} has no flow, so no journey can be seen"
                continue
            yield from _unknown(one.flows, flows, f"{one.name}: workload {workload!r} has no flow")
        elif not plan.closed:
            yield from _unknown(about(one), requests, f"{one.name}: workload {workload!r} has no request or flow")


def _unknown(names: Iterable[str], known: list[str], problem: str) -> Iterator[str]:
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            yield f"{problem} {name!r}" + (f"; did you mean {close[0]!r}?" if close else "")


def _never_missed(plan: Plan) -> Iterator[str]:
    """A latency that no answer can reach: whatever takes so long has timed out, and stands at its time-out."""
    longest_s = plan.workload.longest_timeout_s if plan.workload.kinds else math.inf
    for objective in plan.objectives:
        match objective:
            case Latency(below_ms=limit_ms) | Recovery(latency_below_ms=limit_ms):
                if limit_ms > longest_s * 1000 > 0:  # a time-out of 0 is told as such
                    yield f"{objective.name}: {limit_ms:g} ms are never missed: requests time out after {longest_s:g} s"
            case _:
                pass


def _drawn_and_shared(plan: Plan) -> Iterator[str]:
    if not 0 <= plan.sending.seed < 2**64:
        yield f"sending.seed {plan.sending.seed} is not 0 to {2**64 - 1}"
    if not 0 <= plan.sending.trace_sampled_ratio <= 1:
        yield f"sending.trace_sampled_ratio {plan.sending.trace_sampled_ratio} is not 0 to 1"
    if not 0 < plan.abort.failed_ratio <= 1:
        yield f"abort.failed_ratio {plan.abort.failed_ratio} is not above 0 and at most 1"


def _what_counts_against_it(plan: Plan) -> Iterator[str]:
    """When the run is ended, and from where on its measurement is void."""
    for name in ("failed_for_s", "unreachable_for_s", "behind_for_s"):
        if not 0 < getattr(plan.abort, name) < math.inf:
            yield f"abort.{name} {getattr(plan.abort, name):g} is not above 0"
    for name, value in asdict(plan.thresholds).items():
        if not 0 <= value < math.inf:  # 0 lets nothing pass; below it a finding would stand by nothing
            yield f"thresholds.{name} {value:g} is not 0 or above"
        elif name.endswith("_ratio") and value > 1:  # and above 1 none would ever be found
            yield f"thresholds.{name} {value:g} is not 0 to 1{meant_as_ratio(value)}"


def _writes(plan: Plan) -> Iterator[str]:
    """Outside a rehearsal nothing is written that the target's owner has not agreed to."""
    if plan.target.target_class is TargetClass.REHEARSAL:
        return
    consent = plan.target.writes
    writing = [request.name for request in plan.workload.kinds if request.writes]
    refused = [name for name in writing if "*" not in consent.requests and name not in consent.requests]
    if refused:
        yield (
            f"target {plan.target.name!r} has not agreed to the writes {', '.join(refused)}; its entry in targets.yaml "
            f"would need  writes: {{requests: [{', '.join(writing)}], at_most: N}}"
        )
    expected = expected_writes(plan)
    if writing and not refused and expected > consent.at_most:
        yield f"about {expected:,} writes are due; target {plan.target.name!r} agreed to {consent.at_most:,}"


def expected_writes(plan: Plan) -> int:
    """How many writing requests are due, by their weights and the rates of flows beside them."""
    single, flows = plan.workload.requests, plan.workload.flows
    total = sum(request.weight for request in single) + sum(flow.weight or 0.0 for flow in flows)
    writing = sum(request.weight for request in single if request.writes)
    beside, beside_s = 0.0, plan.longest_s if plan.search else sum(phase.beside_s for phase in plan.profile.phases)
    for flow in flows:
        steps = sum(1 for step in flow.steps if step.request.writes)
        # A flow's weight is shared by all its steps alike.
        writing += (flow.weight or 0.0) * steps / max(len(flow.steps), 1)
        beside += (flow.rate_rps or 0.0) * steps * beside_s
    on_the_line = plan.most_arrivals * writing / total if total else 0.0
    return round(on_the_line + beside)
