"""How much a counter grew between two instants, from its samples and the instants of the scrapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.ports import Series

Instants = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Growth:
    """What a counter had grown by at each of its knots, from 0 at the first; straight lines between them."""

    at_unix_s: Instants
    grown: NDArray[np.float64]

    def between(self, start_unix_s: float, end_unix_s: float) -> float:
        """How much it grew between two instants; flat outside what was seen."""
        if not len(self.grown):
            return 0.0
        start, end = np.interp([start_unix_s, end_unix_s], self.at_unix_s, self.grown)
        return float(end - start)


def growth_of(series: Series, scrapes: Instants, step_s: float) -> Growth:
    """Follow one counter through its resets.

    A range query shows at each step the newest sample, which may be as old as a scrape interval. Where the scrapes'
    own instants are known, a value is put back to the scrape that brought it, so that interpolating at the hold's edges
    is right to a scrape's jitter; without them the steps stand as they are. A counter whose first sample came after an
    earlier scrape was born in between, at 0.
    """
    if not len(scrapes) or not len(series.values):
        return Growth(at_unix_s=series.at_unix_s, grown=_without_resets(series.values))
    shown_at = np.searchsorted(series.at_unix_s, scrapes, side="left")
    shown_at = np.minimum(shown_at, len(series.values) - 1)
    late_s = series.at_unix_s[shown_at] - scrapes
    seen = (late_s >= 0) & (late_s <= step_s)
    at_unix_s, values = scrapes[seen], series.values[shown_at[seen]]
    born_after = scrapes[scrapes < series.at_unix_s[0] - step_s]
    if len(born_after):
        at_unix_s, values = np.concatenate((born_after[-1:], at_unix_s)), np.concatenate(([0.0], values))
    return Growth(at_unix_s=at_unix_s, grown=_without_resets(values))


def _without_resets(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The growth since the first sample.

    A fall means that the counter, or one of those that were added up in it, began again. How much it grew in that
    step cannot be known: what the step before grew stands for it, and no more than the counter shows.
    """
    steps = np.diff(values, prepend=values[:1])
    falls = np.flatnonzero(steps < 0)
    for fall in falls:  # few: a restart each
        steps[fall] = min(steps[fall - 1], values[fall])
    return np.cumsum(steps)
