"""What the command line looks at in the target's Prometheus while and after a run: replicas, backlog, evidence."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path

from analysis.ports import MetricsSource
from loadtest.verdicts import gather_evidence, metrics_of
from scenarios.errors import MetricsUnavailable, PreflightFailed
from scenarios.target import Target
from slo.evidence import NotSeen

LOOK_EVERY_S = 5.0
NEARLY_NOTHING = 1.0  # a backlog of one command is what a healthy queue shows between two scrapes


@dataclass(slots=True)
class Outlook:
    """Asks seldom, remembers the answer, and never lets a dead Prometheus disturb the run."""

    target: Target
    _metrics: MetricsSource | NotSeen = field(init=False)
    _replicas: str = ""
    _looked_s: float = -math.inf
    _backlog_before: float | None = field(init=False)

    def __post_init__(self) -> None:
        """Note the backlog that was there before the load."""
        self._metrics = metrics_of(self.target.prometheus_url)
        self._backlog_before = self._sum(self.target.queries.backlog)

    def replicas(self) -> str:
        """`ready/desired replicas` over all autoscalers; "" when nobody knows."""
        if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            labels = f'{{namespace="{self.target.namespace}"}}' if self.target.namespace else ""
            ready = self._sum(f"sum(kube_deployment_status_replicas_ready{labels})")
            desired = self._sum(f"sum(kube_horizontalpodautoscaler_status_desired_replicas{labels})")
            known = ready is not None and desired is not None
            self._replicas = f"{ready:.0f}/{desired:.0f} replicas" if known else ""
        return self._replicas

    def settled(self) -> bool:
        """Whether the backlog is back where it was before the load; unknown counts as settled."""
        backlog = self._sum(self.target.queries.backlog)
        return backlog is None or backlog <= (self._backlog_before or 0.0) + NEARLY_NOTHING

    def caught_up(self) -> bool:
        """Whether every autoscaler has what it wants, and all of it is ready; unknown counts as caught up."""
        labels = self._labels
        hpa = "kube_horizontalpodautoscaler"
        desired, current = f"{hpa}_status_desired_replicas{labels}", f"{hpa}_status_current_replicas{labels}"
        wanting = self._sum(f"sum(abs({desired} - {current}))")
        starting = self._sum(
            f"sum(kube_deployment_status_replicas{labels} - kube_deployment_status_replicas_ready{labels})"
        )
        return not wanting and not starting

    def refuse_moving_replicas(self) -> None:
        """Raise PreflightFailed when an autoscaler of the target could move; golive pins none of a real target's."""
        labels = self._labels
        spec = "kube_horizontalpodautoscaler_spec"
        room = self._sum(f"sum({spec}_max_replicas{labels} - {spec}_min_replicas{labels})")
        if room:
            raise PreflightFailed(
                f"The replicas of {self.target.name!r} are not fixed: its autoscalers have room for {room:.0f} more.",
                remedy="Set each HPA's minReplicas to its maxReplicas first, or search without --fixed-replicas.",
            )

    @property
    def _labels(self) -> str:
        """What selects the target's own among the series of kube-state-metrics."""
        return f'{{namespace="{self.target.namespace}"}}' if self.target.namespace else ""

    def gather(self, folder: Path) -> None:
        """Pull the run's evidence while Prometheus is still there."""
        gather_evidence(folder, self.target.prometheus_url)

    def _sum(self, promql: str) -> float | None:
        if isinstance(self._metrics, NotSeen) or not promql:
            return None
        try:
            series = self._metrics.query(promql, at_unix_s=time.time())
        except MetricsUnavailable:
            return None
        return sum(one.values[-1] for one in series) if series else None
