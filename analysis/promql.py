"""The questions golive asks a Prometheus, by name: the target's own expressions and kube-state-metrics' fixed names."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.target import Target

# Series that only the target's owner can name (PrometheusQueries), by the name of the evidence they become.
OWN = ("requests", "errors", "duration_buckets", "backlog", "up", "memory", "file_handles", "connections")
# Asked only where the target names it.
MAY_BE_MISSING = ("replicas", "memory_limit", "file_handles_limit", "connections_limit", "process_started")

# kube-state-metrics' names (docs/metrics/workload/horizontalpodautoscaler-metrics.md and deployment-metrics.md).
# It has no reason for a condition; the rehearsal's own last one has.
FIXED: Mapping[str, str] = {
    "hpa_info": "kube_horizontalpodautoscaler_info",
    "hpa_min": "kube_horizontalpodautoscaler_spec_min_replicas",
    "hpa_max": "kube_horizontalpodautoscaler_spec_max_replicas",
    "hpa_current": "kube_horizontalpodautoscaler_status_current_replicas",
    "hpa_desired": "kube_horizontalpodautoscaler_status_desired_replicas",
    "hpa_condition": "kube_horizontalpodautoscaler_status_condition",
    "hpa_metric": "kube_horizontalpodautoscaler_status_target_metric",
    "hpa_metric_target": "kube_horizontalpodautoscaler_spec_target_metric",
    "deployment_replicas": "kube_deployment_status_replicas",
    "deployment_ready": "kube_deployment_status_replicas_ready",
    "hpa_reason": "golive_rehearsal_hpa_condition_reason",
}
CONDITION_HOLDS = 'status="true"'
ALERTS = 'ALERTS{alertstate="firing"}'
SCRAPES = "scrapes"  # the evidence that holds the stored samples of `up`: when each scrape was


def expressions(target: Target, window_s: float) -> dict[str, str]:
    """What to ask over the whole run, evidence name → PromQL; the target's empty ones are left out.

    `$window` in the target's own expressions becomes the length of the judged window in whole seconds.
    """
    own = {name: getattr(target.queries, name) for name in (*OWN, *MAY_BE_MISSING)}
    within = {name: promql.replace("$window", f"{window_s:.0f}s") for name, promql in own.items() if promql.strip()}
    kubernetes = {name: metric + _selector(name, target.namespace) for name, metric in FIXED.items()}
    return {**within, **kubernetes, "alerts": ALERTS}


def scrapes(target: Target, duration_s: float) -> str:
    """All stored samples of the target's `up`, of so many seconds."""
    return f"{target.queries.up}[{duration_s:.0f}s]" if target.queries.up.strip() else ""


def _selector(name: str, namespace: str) -> str:
    if name == "hpa_reason":
        return ""  # the rehearsal has one namespace and does not name it here
    labels = [CONDITION_HOLDS] if name == "hpa_condition" else []
    if namespace:
        labels.append(f'namespace="{namespace}"')
    return f"{{{','.join(labels)}}}" if labels else ""
