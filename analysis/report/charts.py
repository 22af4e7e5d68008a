"""The report's charts, in the order a reader asks; all stand on one time axis."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.report.charting import Charting
from analysis.report.client_charts import failures_panel, lag_panel, latency_panel, rate_panel
from analysis.report.platform_charts import alerts_panel, backlog_panel, conditions_panel, replicas_panel
from analysis.report.plots import Panel
from analysis.report.recovery import Seen, promises_panel
from analysis.report.resource_charts import resources_panel
from slo.evidence import AutoscalerSeries
from slo.objective import Steady


def panels(
    charting: Charting,
    *,
    unseen: Mapping[str, str],
    steered: tuple[AutoscalerSeries, ...] = (),
    spikes: tuple[Seen, ...] = (),
) -> tuple[Panel, ...]:
    """All charts, in the order a reader asks.

    unseen: panel name → why its evidence could not be had. steered: the autoscalers, where their reasons are known.
    spikes: how the promises fared around each, where recovery was asked.
    """
    return (
        rate_panel(charting),
        latency_panel(charting),
        failures_panel(charting),
        *([promises_panel(charting, spikes)] if spikes else []),
        *([] if charting.plan.closed else [lag_panel(charting)]),  # whoever waits for answers is never late
        replicas_panel(charting, unseen.get("replicas", "")),
        *([conditions_panel(charting, steered)] if steered else []),
        backlog_panel(charting, unseen.get("backlog", "")),
        *(
            [resources_panel(charting, unseen)]
            if any(isinstance(one, Steady) for one in charting.plan.objectives)
            else []
        ),
        alerts_panel(charting, unseen.get("alerts", "")),
    )
