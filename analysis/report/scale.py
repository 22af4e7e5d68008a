"""The upright axis of a chart: where a value stands, and the values written beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NICE = (1.0, 2.0, 5.0)
FEW_TICKS = 4
MOST_LOG_TICKS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """From the lowest value (at the bottom) to the highest (at the top), `height_px` apart."""

    lowest: float
    highest: float
    ticks: tuple[float, ...]
    height_px: float
    is_log: bool = False

    def y(self, values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """How many pixels below the top each value stands; beyond the ends it stands at them."""
        held = np.clip(np.asarray(values, dtype=np.float64), self.lowest, self.highest)
        low, high = self.lowest, self.highest
        if self.is_log:
            held, low, high = np.log10(held), math.log10(low), math.log10(high)
        return np.asarray(self.height_px * (high - held) / (high - low))


def linear(highest: float, *, height_px: float, whole: bool = False) -> Scale:
    """From 0 to just above the highest value, with a few round ticks; whole: no tick between two integers."""
    top = highest if highest > 0 and math.isfinite(highest) else 1.0
    step = _nice_step(top / FEW_TICKS)
    step = max(step, 1.0) if whole else step
    # A value up to 2 % above the last tick still has room above it: no whole step is spent on it.
    steps = max(1, math.ceil(top / step - 0.02))
    ticks = tuple(round(number * step, 10) for number in range(steps + 1))
    return Scale(lowest=0.0, highest=max(ticks[-1], top), ticks=ticks, height_px=height_px)


def logarithmic(lowest: float, highest: float, *, height_px: float) -> Scale:
    """Equal steps stand for equal factors; from the round value (1, 2, 5, 10, …) below to the one above."""
    low = lowest if lowest > 0 and math.isfinite(lowest) else 1.0
    high = max(highest if math.isfinite(highest) else low, low)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1
    rounds = [nice * 10.0**power for power in range(first, last + 1) for nice in NICE]
    below = max(value for value in rounds if value <= low * (1 + 1e-9))
    above = min(value for value in rounds if value >= high * (1 - 1e-9) and value > below)
    ticks = [value for value in rounds if below <= value <= above]
    if len(ticks) > MOST_LOG_TICKS:  # then the powers of ten alone
        ticks = [value for value in ticks if math.isclose(math.log10(value) % 1, 0, abs_tol=1e-9)]
    return Scale(lowest=below, highest=above, ticks=tuple(ticks), height_px=height_px, is_log=True)


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((nice * power for nice in NICE if nice * power >= rough * (1 - 1e-9)), 10.0 * power)
