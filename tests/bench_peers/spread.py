"""The median of a few rounds and an interval that holds the true one: order statistics, no assumption on the noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb
from statistics import median

COVERAGE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A median and its interval."""

    median: float
    low: float
    high: float

    def told(self, digits: int) -> str:
        """As people read it: 12.6 (11.7–13.6)."""
        middle, low, high = (f"{value:,.{digits}f}" for value in (self.median, self.low, self.high))
        return middle if low == high else f"{middle} ({low}–{high})"


def spread_of(values: Iterable[float | None]) -> Spread | None:
    """Median and interval of what is there; None when nothing is."""
    ordered = sorted(value for value in values if value is not None)
    if not ordered:
        return None
    skipped = outermost_to_skip(len(ordered))
    return Spread(median=median(ordered), low=ordered[skipped], high=ordered[-1 - skipped])


def outermost_to_skip(count: int) -> int:
    """How many of the least and of the greatest values may be left out while 90 % of such intervals hold the median.

    Five values: none, and least to greatest holds it in 94 % (1 - 2 / 2^5).
    """
    fitting = (
        skipped
        for skipped in range(count // 2)
        if 1 - 2 * sum(comb(count, rank) for rank in range(skipped + 1)) / 2**count >= COVERAGE
    )
    return max(fitting, default=0)
