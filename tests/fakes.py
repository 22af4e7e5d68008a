"""Stand-ins that behave like the real thing; tests/contracts/ holds both to one specification."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.ports import MetricsUnreachable, Series
from scenarios.errors import MetricsUnavailable

LOOK_BACK_S = 300.0  # how long Prometheus goes on showing a series' last sample


def samples(labels: Mapping[str, str], at_unix_s: ArrayLike, values: ArrayLike) -> Series:
    """What a scrape stored under one set of labels; `values` is one number or as many as there are instants."""
    at = np.asarray(at_unix_s, dtype=np.float64)
    return Series(
        labels=dict(labels), at_unix_s=at, values=np.broadcast_to(np.asarray(values, dtype=np.float64), at.shape)
    )


@dataclass
class FakeMetrics:
    """A Prometheus that knows whole expressions by their text, and the samples that stand behind each."""

    stored: Mapping[str, Sequence[Series]] = field(default_factory=dict)
    server: str = "http://metrics.test:9090"
    refused: frozenset[str] = frozenset()  # expressions it calls malformed
    dead: bool = False
    asked: list[str] = field(default_factory=list)

    def query_range(self, promql: str, *, start_unix_s: float, end_unix_s: float, step_s: float) -> tuple[Series, ...]:
        steps = np.arange(round(start_unix_s), round(end_unix_s) + 1e-6, step_s)
        shown = [_shown(series, steps) for series in self._stored(promql)]
        return tuple(series for series in shown if len(series.values))

    def query(self, promql: str, *, at_unix_s: float) -> tuple[Series, ...]:
        ranged = re.fullmatch(r"(.*)\[(\d+)s\]", promql)
        if ranged:
            within = [_within(series, at_unix_s - float(ranged[2]), at_unix_s) for series in self._stored(ranged[1])]
        else:
            within = [_shown(series, np.array([at_unix_s])) for series in self._stored(promql)]
        return tuple(series for series in within if len(series.values))

    def _stored(self, promql: str) -> Sequence[Series]:
        self.asked.append(promql)
        if self.dead:
            raise MetricsUnreachable(f"Prometheus at {self.server} does not answer: it is a fake.", remedy="Revive it.")
        if promql in self.refused:
            raise MetricsUnavailable(f"Prometheus at {self.server} refused the query.", remedy="Correct it.")
        return self.stored.get(promql, ())


def _shown(series: Series, steps: NDArray[np.float64]) -> Series:
    """What a query shows at each step: the last sample, unless it is too old."""
    last = np.searchsorted(series.at_unix_s, steps, side="right") - 1
    seen = (last >= 0) & (steps - series.at_unix_s[np.maximum(last, 0)] < LOOK_BACK_S)
    seen &= ~np.isnan(series.values[np.maximum(last, 0)])  # NaN is the mark of a series that ended
    return Series(labels=series.labels, at_unix_s=steps[seen], values=series.values[last[seen]])


def _within(series: Series, after_unix_s: float, until_unix_s: float) -> Series:
    inside = (series.at_unix_s > after_unix_s) & (series.at_unix_s <= until_unix_s) & ~np.isnan(series.values)
    return Series(labels=series.labels, at_unix_s=series.at_unix_s[inside], values=series.values[inside])
