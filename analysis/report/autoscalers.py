"""What each autoscaler was allowed, and for how long it wanted more than that, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.report.wording import duration
from slo.evidence import AutoscalerSeries, Evidence, NotSeen


def limits_told(evidence: Evidence) -> Mapping[str, str]:
    """By name: "allowed 12 to 150"; empty when no autoscaler was seen."""
    if isinstance(evidence.autoscalers, NotSeen):
        return {}
    return {one.name: _told(one) for one in evidence.autoscalers}


def _told(autoscaler: AutoscalerSeries) -> str:
    allowed = f"allowed {autoscaler.min_replicas} to {autoscaler.max_replicas}"
    wanted_s = _wanted_more_s(autoscaler)
    return f"{allowed}; wanted more than its maximum for {duration(wanted_s)}" if wanted_s else allowed


def _wanted_more_s(autoscaler: AutoscalerSeries) -> float:
    """Each sample stands for the usual step between two."""
    if len(autoscaler.at_unix_s) < 2:
        return 0.0
    return float(np.median(np.diff(autoscaler.at_unix_s)) * autoscaler.wanted_more.sum())
