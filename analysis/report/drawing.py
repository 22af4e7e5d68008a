"""Lines and areas as SVG paths on a plane 1,000 wide, and thinning them to what a screen can show."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.report.scale import Scale

WIDTH = 1000.0
Values = NDArray[np.float64]


class Thinning(StrEnum):
    """What one point stands for when it stands for several seconds."""

    MEAN = "mean"  # rates: the number of requests stays true
    WORST = "max"  # the highest: no spike is lost
    LAST = "last"  # states, such as replicas


def thinned(values: pd.Series, seconds_per_point: int, how: Thinning) -> Values:
    """One value for every so many seconds; NaN where none of them was seen."""
    numbers = pd.Series(values.to_numpy(dtype=np.float64))
    if seconds_per_point > 1:
        groups = numbers.groupby(np.arange(len(numbers)) // seconds_per_point)
        numbers = groups.agg(how.value)
    return numbers.to_numpy(dtype=np.float64)


def line(values: Values, scale: Scale, points: float) -> str:
    """A line through the middle of each point's stretch; a gap where nothing was seen.

    points: how many points the whole width has; the last may stand for less than a whole stretch.
    """
    x = (np.arange(len(values), dtype=np.float64) + 0.5) * (WIDTH / points)
    return " ".join(_polyline(x[run], scale.y(values[run])) for run in _seen_runs(values))


def steps(values: Values, scale: Scale, points: float) -> str:
    """A line that holds each value for its whole stretch, for what changes in jumps."""
    parts = []
    for run in _seen_runs(values):
        edges = _edges(run, points)
        level = scale.y(values[run])
        parts.append(_polyline(np.repeat(edges, 2)[1:-1], np.repeat(level, 2)))
    return " ".join(parts)


def area(upper: Values, lower: Values, scale: Scale, points: float) -> str:
    """The surface between two lines that hold each value for its whole stretch."""
    parts = []
    for run in _seen_runs(upper):
        edges = np.repeat(_edges(run, points), 2)[1:-1]
        top, bottom = np.repeat(scale.y(upper[run]), 2), np.repeat(scale.y(lower[run]), 2)
        parts.append(_polyline(np.concatenate((edges, edges[::-1])), np.concatenate((top, bottom[::-1]))) + "Z")
    return " ".join(parts)


def _seen_runs(values: Values) -> list[NDArray[np.int64]]:
    seen = np.flatnonzero(~np.isnan(values))
    return [run for run in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1) if len(run)]


def _edges(run: NDArray[np.int64], points: float) -> Values:
    """Where each point's stretch begins, and where the last ends."""
    return np.concatenate((run, run[-1:] + 1)).astype(np.float64) * (WIDTH / points)


def _polyline(x: Values, y: Values) -> str:
    across, down = np.round(x, 1), np.round(y, 1)
    keep = _corners(across, down)
    pairs = [f"{right:g},{below:g}" for right, below in zip(across[keep], down[keep], strict=True)]
    # A single point is a line of no length: its round ends make it a dot.
    return f"M{pairs[0]}L{' '.join(pairs[1:] or pairs)}"


def _corners(x: Values, y: Values) -> NDArray[np.bool_]:
    """Points within a level stretch say nothing: only its ends are kept."""
    corner = np.ones(len(y), dtype=np.bool_)
    onward = np.diff(x)[:-1] * np.diff(x)[1:] >= 0
    corner[1:-1] = ~((y[1:-1] == y[:-2]) & (y[1:-1] == y[2:]) & onward)
    return corner
