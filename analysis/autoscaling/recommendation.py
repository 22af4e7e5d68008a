"""What the metrics alone ask of an HPA: a number of replicas, cautious about pods that give no measurement.

Source: Kubernetes documentation, "Horizontal Pod Autoscaling", algorithm details, and the controller's replica
calculator (1.28). Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

TOLERANCE_RATIO = 0.1  # --horizontal-pod-autoscaler-tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A mean over pods, and what it should be."""

    name: str
    target: float
    is_utilisation: bool = False  # of what the pod requested, 1.0 = all of it: a Resource metric

    @property
    def failure(self) -> str:
        """The reason that ScalingActive shows when this metric is not there."""
        return "FailedGetResourceMetric" if self.is_utilisation else "FailedGetPodsMetric"

    @property
    def when_missing(self) -> float:
        """What a pod that is not measured is taken to use when scaling down: all it requested, or the target."""
        return max(1.0, self.target) if self.is_utilisation else self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far from 1 the ratio of metric and target may be before anything happens, by direction."""

    up_ratio: float = TOLERANCE_RATIO
    down_ratio: float = TOLERANCE_RATIO

    def covers(self, ratio: float) -> bool:
        """Whether the ratio is near enough to 1. A rounding error of the division does not decide."""
        allowed = self.up_ratio if ratio > 1.0 else self.down_ratio
        return abs(ratio - 1.0) <= allowed + 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the cluster says at one instant: replicas as ordered, pods as they are, and each metric's mean.

    A mean is over the `ready` pods, which are ready and measured; None (or no entry) when there is no answer.
    `unready` pods are on their way; `missing` ones are ready and not measured.
    """

    replicas: int
    ready: int
    unready: int = 0
    missing: int = 0
    means: Mapping[str, float | None] = field(default_factory=dict)

    def mean_of(self, metric: Metric) -> float | None:
        """The metric's mean; None when nobody measured it."""
        return self.means.get(metric.name) if self.ready else None


def recommend(metric: Metric, reading: Reading, tolerance: Tolerance) -> int | None:
    """Replicas by one metric: ceil(ready × mean / target), unless within tolerance. None without a measurement.

    Scaling up, pods that are not ready or not measured count as idle, so that what is on its way is not ordered twice;
    scaling down, pods that are not measured count as busy. If that reverses the direction, nothing changes.
    """
    mean = reading.mean_of(metric)
    if mean is None:
        return None
    ratio = mean / metric.target
    idle = reading.unready if ratio > 1.0 else 0
    if not idle and not reading.missing:
        return reading.replicas if tolerance.covers(ratio) else _ceil(ratio * reading.ready)
    pods = reading.ready + idle + (reading.missing if ratio != 1.0 else 0)
    used = mean * reading.ready + (metric.when_missing * reading.missing if ratio < 1.0 else 0.0)
    cautious = used / pods / metric.target
    if tolerance.covers(cautious) or (ratio - 1.0) * (cautious - 1.0) < 0:
        return reading.replicas
    wanted = _ceil(cautious * pods)
    return max(wanted, reading.replicas) if cautious > 1.0 else min(wanted, reading.replicas)


def recommend_by_all(metrics: tuple[Metric, ...], reading: Reading, tolerance: Tolerance) -> tuple[int | None, str]:
    """The largest recommendation of all metrics, and ScalingActive's reason.

    None when no metric is there, or when one is missing and the others would scale down: that one might have objected.
    """
    found = [recommend(metric, reading, tolerance) for metric in metrics]
    failures = [metric.failure for metric, wanted in zip(metrics, found, strict=True) if wanted is None]
    valid = [wanted for wanted in found if wanted is not None]
    if not valid or (failures and max(valid) < reading.replicas):
        return None, failures[0]
    return max(valid), "ValidMetricFound"


def _ceil(pods: float) -> int:
    return math.ceil(round(pods, 9))  # 0.6 / 0.2 × 5 is 15, not 15.000000000000002 and so 16
