"""What a search may not ask of its levels: such could prove nothing, and it would go down where it should go up."""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.plan import Plan
from slo.objective import Latency, Throughput
from slo.sample_size import needed_for


def search_problems(plan: Plan) -> Iterator[str]:
    """Levels that are too short, or have too few requests, for what is asked of each of them."""
    search = plan.search
    if search is None:
        return
    offered_ratio = max(phase.to_rps for phase in plan.profile.phases) / plan.rate_to_prove_rps
    requests = search.start_rps * offered_ratio * search.level_at_most_s
    for one in plan.objectives:
        # Of some requests alone nobody knows how many will be due.
        if isinstance(one, Latency) and one.required and not one.requests and requests < needed_for(one.quantile_ratio):
            yield (
                f"{one.name}: the first level has {requests:,.0f} requests in its {search.level_at_most_s:g} s, and "
                f"{needed_for(one.quantile_ratio):,} are needed to say anything of it: a higher rate or "
                "`start_share`, or a longer `level_at_most`"
            )
        if isinstance(one, Throughput) and one.required and search.level_at_most_s < one.window_s:
            yield f"{one.name}: a level of {search.level_at_most_s:g} s is shorter than a window of {one.window_s} s"
