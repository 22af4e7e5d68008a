"""What every chart is made from: the timeline, the axis, and the figures over the hold in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.report.axis import TimeAxis
from analysis.report.drawing import Thinning, Values, thinned
from analysis.report.plots import Span
from scenarios.plan import Plan
from slo.evidence import Window

TALL_PX, LOW_PX, LANE_PX, BAR_PX = 170.0, 90.0, 46.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charting:
    """What every panel is made from."""

    timeline: pd.DataFrame
    axis: TimeAxis
    plan: Plan
    hold: Window
    autoscalers: Mapping[str, str] = field(default_factory=dict)  # by name: what is known of its limits, in words

    @property
    def points(self) -> float:
        """How many points the width of the axis has; the last one may be cut."""
        return len(self.timeline) / self.axis.seconds_per_point

    def thin(self, column: str, how: Thinning) -> Values:
        """A column, thinned to the points of the axis."""
        return thinned(self.timeline[column], self.axis.seconds_per_point, how)

    def in_load(self, column: str) -> Values:
        """A rate while anything was offered: after the load a line along the bottom would be no news."""
        offered = self.timeline[column].where(self.timeline["offered_rps"] > 0)
        return thinned(offered, self.axis.seconds_per_point, Thinning.MEAN)

    def held(self, column: str) -> Values:
        """A column's values in the hold that were seen, every second of them."""
        second = self.timeline["second"]
        inside = (second >= self.hold.start_unix_s) & (second < self.hold.end_unix_s)
        return self.timeline.loc[inside, column].dropna().to_numpy(dtype=np.float64)

    def named(self, prefix: str) -> dict[str, str]:
        """The columns that begin so, by the rest of their name."""
        return {name.removeprefix(prefix): name for name in self.timeline.columns if name.startswith(prefix)}


def between(values: Values, words: Callable[[float], str]) -> str:
    """The range over the hold: "hold: 31,498 to 31,502"."""
    if not len(values):
        return "nothing in the hold"
    low, high = words(float(values.min())), words(float(values.max()))
    return f"hold: {low}" if low == high else f"hold: {low} to {high}"


def highest(*series: Values, at_least: float = 0.0) -> float:
    """The highest value that was seen in any of the series; 0 without any."""
    return max(at_least, *(float(np.nanmax(values)) for values in series if np.any(~np.isnan(values))), 0.0)


def span_on(axis: TimeAxis, window: Window) -> Span | None:
    """Where it lies on the axis; None for what was before or after it."""
    length_s = axis.end_unix_s - axis.start_unix_s
    start = min(max((window.start_unix_s - axis.start_unix_s) / length_s, 0.0), 1.0)
    end = min(max((window.end_unix_s - axis.start_unix_s) / length_s, 0.0), 1.0)
    return Span(start=round(100 * start, 3), width=round(100 * (end - start), 3)) if end > start else None
