"""What a chart consists of, ready to be drawn: series as paths, limits, ticks, and the values behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.report.scale import Scale

Values = NDArray[np.float64]
LINE_PX, WORDS_ABOVE_PX, WORDS_BELOW_PX = 13.0, 4.0, 13.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One drawn series. colour and stroke are class names of the style sheet."""

    name: str
    colour: str
    stroke: Literal["line", "line wide", "area"]
    path: str
    told: str  # its figure over the hold, in words
    values: Values  # one a point, for the readout


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A value at its height: a tick, or a limit with its words."""

    y: float
    label: str
    colour: str = ""
    label_y: float = 0.0  # where a limit's words stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch in which something was on, in percent of the axis."""

    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plane with its series, or a lane of spans."""

    label: str  # "" when the panel's title says it
    height_px: float
    traces: tuple[Trace, ...] = ()
    ticks: tuple[Level, ...] = ()
    limits: tuple[Level, ...] = ()
    spans: tuple[Span, ...] = ()
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One chart: a title, a word of explanation, and one or several planes on the shared axis."""

    name: str  # its anchor
    title: str
    explain: str
    unit: str  # of the readout: "ms"
    plots: tuple[Plot, ...] = ()
    note: str = ""  # said instead of, or below, the planes

    @property
    def summary(self) -> str:
        """The chart in words, for those who do not see it."""
        told = [
            f"{plot.label + ': ' if plot.label else ''}{trace.name} {trace.told}"
            for plot in self.plots
            for trace in plot.traces
        ]
        lanes = [f"{plot.label} {plot.told}" for plot in self.plots if plot.spans]
        return f"{self.title}. {'; '.join(told + lanes)}. {self.note}".strip()


def plane(
    scale: Scale, traces: tuple[Trace, ...], *, label: str = "", limits: tuple[Level, ...] = (), told: str = ""
) -> Plot:
    """A plane whose ticks are those of its scale."""
    ticks = tuple(Level(y=round(float(scale.y(value)), 1), label=tick_label(value)) for value in scale.ticks)
    return Plot(label=label, height_px=scale.height_px, traces=traces, ticks=ticks, limits=limits, told=told)


def limits_at(scale: Scale, limits: Mapping[str, tuple[float, str]]) -> tuple[Level, ...]:
    """Limits with their words above the line, or below it where words or the edge are in the way.

    limits: words → value and colour.
    """
    levels: list[Level] = []
    for label, (value, colour) in sorted(limits.items(), key=lambda limit: -limit[1][0]):
        y = float(scale.y(value))
        taken = levels[-1].label_y if levels else 0.0
        above = y - WORDS_ABOVE_PX
        label_y = above if above - LINE_PX >= taken else y + WORDS_BELOW_PX
        levels.append(Level(y=y, label=label, colour=colour, label_y=max(label_y, taken + LINE_PX)))
    return tuple(levels)


def tick_label(value: float) -> str:
    """A value beside the axis: "0.5", "20", "30,000"."""
    return f"{value:,.0f}" if value == round(value) else f"{value:.10f}".rstrip("0")
