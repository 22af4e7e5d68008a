"""What a recovery objective may not ask of the plan that is to show it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from scenarios.plan import Plan
from scenarios.spikes import Spike, spikes
from slo.objective import Recovery
from slo.sample_size import needed_in_window


def recovery_problems(plan: Plan) -> Iterator[str]:
    """Spikes that the plan lacks, or leaves too soon, or shows by too few requests: such a run could prove nothing."""
    asked = [one for one in plan.objectives if isinstance(one, Recovery)]
    if not asked or plan.closed is not None:
        return
    if plan.search is not None:
        yield f"{asked[0].name}: a search drives levels and no spike; leave recovery to a plan of its own"
        return
    found = spikes(plan.profile)
    if not found:
        yield f"{asked[0].name}: the rate line has no spike: it never rises above half of its peak and comes back"
    for one in asked:
        for spike in found:
            yield from _watch(plan, one, spike)


def _watch(plan: Plan, one: Recovery, spike: Spike) -> Iterator[str]:
    watched_s = spike.until_s - spike.end_s
    needed_s = one.within_s + one.held_for_s if one.since == "spike-end" else one.held_for_s
    if watched_s < needed_s:
        yield (
            f"{one.name}: load goes on for {watched_s:g} s after the spike; "
            f"`within_s` and `held_for_s` need {needed_s:g}"
        )
        return
    due, needed = _fewest_due(plan, one, spike), needed_in_window(one)
    if due < needed:
        yield (
            f"{one.name}: {due:.0f} requests are due in a window of {one.window_s} s after the spike, and {needed} are "
            "needed to say anything of it: a longer `window_s`, or a higher rate"
        )


def _fewest_due(plan: Plan, one: Recovery, spike: Spike) -> float:
    """What is due in the quietest whole window after the spike."""
    windows = max(int((spike.until_s - spike.end_s) // one.window_s), 1)
    edges = [plan.profile.arrivals_by(spike.end_s + number * one.window_s) for number in range(windows + 1)]
    return min(later - before for before, later in pairwise(edges))
