"""The metrics of one run, from its orders: which buckets, which rate line, what is said of the run itself."""

from __future__ import annotations

import json
from collections.abc import Callable

from loadtest.delta_times import Bounds
from loadtest.metrics.page import MetricsPage, RunCollector
from loadtest.metrics.tally import Tally
from loadtest.run_orders import Orders
from loadtest.versions import VERSION


def tally_for(orders: Orders) -> Tally:
    """An empty tally, its buckets ending at the plan's own latency limits too."""
    limits_ms = [one.below_ms for one in orders.plan.objectives if one.kind == "latency"]
    names = [request["name"] for request in json.loads(orders.engine_plan)["requests"]]
    return Tally(requests=names, bounds=Bounds.with_limits(limits_ms), expected_workers=orders.plan.workers)


def page_of(
    orders: Orders, tally: Tally, *, planned_rps: Callable[[], float], refresh: Callable[[], None]
) -> MetricsPage:
    """The page of the run that these orders describe."""
    plan = orders.plan
    about = {
        "run": orders.folder.name,
        "plan": plan.name,
        "workload": plan.workload.name,
        "target": plan.target.name,
        "target_class": plan.target.target_class.value,
        "golive_version": VERSION,
    }
    return MetricsPage(RunCollector(tally=tally, planned_rps=planned_rps, about=about), refresh)
