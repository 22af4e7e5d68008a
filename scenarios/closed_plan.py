"""A plan whose load is somebody's own locustfile: what is judged stays the plan's, the load does not. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from scenarios.errors import PlanError
from scenarios.plan import ClosedLoad, Plan
from scenarios.profile import Phase, Profile
from scenarios.workload import Request, Workload

OTHER_NAMES = "(other names)"  # the row of requests whose names are too many to have one each


def with_locustfile(plan: Plan, load: ClosedLoad) -> Plan:
    """The plan with these users: their start is not judged, then the hold is as long as the plan's.

    Raises PlanError for what cannot be: no users, a search, which needs a rate.
    """
    if load.users < 1 or not 0 < load.spawn_rate < math.inf:
        raise PlanError(
            f"{load.users} users at a spawn rate of {load.spawn_rate:g} a second make no load.",
            remedy="--users is at least 1, --spawn-rate above 0.",
        )
    if plan.search is not None:
        raise PlanError(
            f"The plan {plan.name!r} searches for a rate; a locustfile's users have none that could be set.",
            remedy="Name a plan without `search`, such as 30k.",
        )
    starting_s = float(math.ceil(load.users / load.spawn_rate))
    hold_s = sum(phase.duration_s for phase in plan.profile.phases if phase.judged)
    phases = (
        Phase(name="spawn", duration_s=starting_s, from_rps=0.0, to_rps=0.0, judged=False),
        Phase(name="hold", duration_s=hold_s, from_rps=0.0, to_rps=0.0),
    )
    workload = replace(plan.workload, login=None)  # its users log in by themselves, or not
    return replace(plan, closed=load, workload=workload, profile=Profile(phases=phases))


def closed_orders(plan: Plan) -> dict[str, Any]:
    """What workers are told in place of an engine plan."""
    assert plan.closed
    return {
        "model": "closed",
        "locustfile": plan.closed.locustfile,
        "users": plan.closed.users,
        "spawn_rate": plan.closed.spawn_rate,
        "duration_s": plan.profile.duration_s,
        "requests": [],
    }


def with_seen_requests(plan: Plan, names: Iterable[str]) -> Plan:
    """A closed plan with the requests that its users were seen to send: nobody knows them before."""
    seen = sorted(set(names))
    if plan.closed is None or not seen:
        return plan
    requests = tuple(Request(name=name, method="", path="") for name in seen)
    return replace(plan, workload=Workload(name=plan.closed.locustfile, requests=requests))
