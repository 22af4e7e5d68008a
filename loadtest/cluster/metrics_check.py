"""Before the load: the target's Prometheus answers, scrapes this target now, and its clock is ours."""

from __future__ import annotations

import time

from analysis.ports import MetricsSource
from loadtest.verdicts import metrics_of
from scenarios.errors import MetricsUnavailable, PreflightFailed
from scenarios.plan import Plan
from slo.evidence import NotSeen

CLOCK_OFF_BY_S = 2.0


def check_metrics(plan: Plan) -> tuple[str, ...]:
    """Raise PreflightFailed when the Prometheus that was named cannot be a witness; returns what else it lacks.

    A target that names no Prometheus is not checked: what only it could prove will be UNPROVEN.
    """
    metrics = metrics_of(plan.target.prometheus_url)
    if isinstance(metrics, NotSeen):
        return ()
    now_unix_s = time.time()
    _check_clock(metrics, now_unix_s)
    _check_scraped(plan, metrics, now_unix_s)
    return _lacking(plan, metrics, now_unix_s)


def _check_clock(metrics: MetricsSource, now_unix_s: float) -> None:
    try:
        answer = metrics.query("time()", at_unix_s=now_unix_s)
        newest = metrics.query("max(timestamp(up))", at_unix_s=now_unix_s)
    except MetricsUnavailable as silence:
        raise PreflightFailed(
            f"The target's Prometheus does not answer: {silence.problem}",
            remedy="Mend `prometheus_url` (as this pod reaches it) or the NetworkPolicy; leave it out to run without.",
        ) from None
    if not answer or not newest:
        raise PreflightFailed(
            f"{metrics.server} has scraped nothing lately.",
            remedy="Is it the right Prometheus? A clock that is minutes off looks the same.",
        )
    ahead_s = float(newest[0].values[-1]) - now_unix_s
    if ahead_s > CLOCK_OFF_BY_S:
        raise PreflightFailed(
            f"The clock of {metrics.server} is {ahead_s:.1f} s ahead of this pod's.",
            remedy="Synchronise the nodes' clocks: the two sides' seconds are laid side by side.",
        )


def _check_scraped(plan: Plan, metrics: MetricsSource, now_unix_s: float) -> None:
    up = plan.target.queries.up
    if not up.strip():
        return
    seen = metrics.query(up, at_unix_s=now_unix_s)
    living = [series for series in seen if series.values[-1] == 1]
    if not living:
        what = f"{len(seen)} targets, none of them up" if seen else "nothing"
        raise PreflightFailed(
            f"{metrics.server} does not watch this target: `{up}` finds {what}.",
            remedy="Mend `queries.up` of the target's entry or its ServiceMonitor; an empty query goes without.",
        )


def _lacking(plan: Plan, metrics: MetricsSource, now_unix_s: float) -> tuple[str, ...]:
    """Which of the series that the verdict would use are not there now: told, since some come only with traffic."""
    queries = plan.target.queries
    namespace = f'{{namespace="{plan.target.namespace}"}}' if plan.target.namespace else ""
    wanted = {
        "requests": queries.requests,
        "latency": queries.duration_buckets.replace("$window", "60s"),
        "backlog": queries.backlog,
        "autoscalers": f"kube_horizontalpodautoscaler_status_desired_replicas{namespace}",
    }
    lacking = [
        name for name, promql in wanted.items() if promql.strip() and not metrics.query(promql, at_unix_s=now_unix_s)
    ]
    return tuple(f"{metrics.server} has no series for {name} yet (`{wanted[name]}`)" for name in lacking)
