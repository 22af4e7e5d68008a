"""A plan's `search`, as people write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from scenarios.errors import PlanError
from scenarios.plan import Plan
from scenarios.profile import Profile
from scenarios.search import Search
from slo.objective import Limit, Scaling

Duration = str
Above1 = Annotated[float, Field(gt=1, le=10)]
Ratio = Annotated[float, Field(gt=0, le=0.5)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchFile:
    """Rates as shares of the rate to prove."""

    start_share: Annotated[float, Field(gt=0, le=20)] = 0.1
    most_share: Annotated[float, Field(gt=0, le=100)] = 4.0
    growth: Above1 = 2.0
    resolution_ratio: Ratio = 0.05
    margin_ratio: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    replicas: Literal["autoscaled", "fixed"] = "autoscaled"
    ramp: Duration = "5s"
    level: Duration = "20s"
    level_at_most: Duration = "60s"
    rest_at_most: Duration = "90s"
    quiet: Duration = "30s"
    catch_up_at_most: Duration = "3m"
    budget: Duration = "40m"
    void_retries: Annotated[int, Field(ge=0, le=5)] = 1
    proofs_at_most: Annotated[int, Field(ge=0, le=5)] = 2


def with_search(
    plan: Plan, file: SearchFile, *, phases: Profile, seconds: Callable[[str, str], float], where: str
) -> Plan:
    """The plan with its search, which must be met like an objective.

    phases: of the proof; what a canary asks of a real target, the search asks itself before its first level.
    seconds: reads a duration by its key; where: the plan's file, before a mistake.
    """
    _refuse_contradictions(file, seconds, where)
    search = _search(file, plan.rate_to_prove_rps, seconds)
    limit = Limit(name="limit", at_least_rps=search.at_least_rps, resolution_ratio=search.resolution_ratio)
    searching = replace(plan, profile=phases, search=search, objectives=(limit, *plan.objectives))
    return with_fixed_replicas(searching) if search.replicas == "fixed" else searching


def with_fixed_replicas(plan: Plan) -> Plan:
    """The search at the replicas there are; nothing may scale, so scaling is no objective of it."""
    if plan.search is None:
        raise PlanError(
            f"{plan.name}: has no `search`.",
            remedy="--fixed-replicas is for plans that seek the limit: stress.",
        )
    kept = tuple(one for one in plan.objectives if not isinstance(one, Scaling))
    return replace(plan, search=replace(plan.search, replicas="fixed"), objectives=kept)


def _search(file: SearchFile, rate_to_prove_rps: float, seconds: Callable[[str, str], float]) -> Search:
    durations = {
        f"{key}_s": seconds(f"search.{key}", getattr(file, key))
        for key in ("ramp", "level", "level_at_most", "rest_at_most", "quiet", "catch_up_at_most", "budget")
    }
    return Search(
        start_rps=rate_to_prove_rps * file.start_share,
        most_rps=rate_to_prove_rps * file.most_share,
        at_least_rps=rate_to_prove_rps,
        growth=file.growth,
        resolution_ratio=file.resolution_ratio,
        margin_ratio=file.margin_ratio,
        replicas=file.replicas,
        void_retries=file.void_retries,
        proofs_at_most=file.proofs_at_most,
        **durations,
    )


def _refuse_contradictions(file: SearchFile, seconds: Callable[[str, str], float], where: str) -> None:
    if file.most_share < file.start_share:
        raise PlanError(
            f"{where}`search.most_share`: {file.most_share:g} is below `start_share` {file.start_share:g}.",
            remedy="The search goes up from the start share to the most share.",
        )
    if seconds("search.level_at_most", file.level_at_most) < seconds("search.level", file.level):
        raise PlanError(
            f"{where}`search.level_at_most`: {file.level_at_most} is shorter than `level` {file.level}.",
            remedy="A level is held for `level` at least and `level_at_most` at most.",
        )
