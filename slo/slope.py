"""How fast something grows: the slope of its course with a 95 % interval, and whether it still grows at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from slo.intervals import Interval
from slo.sample_size import CONFIDENCE_RATIO

Floats = NDArray[np.float64]

# Neighbouring samples share their fate (garbage collection, a cache that fills): so many stretches, each counted once,
# are nearly independent (batch means), so the interval of their Theil–Sen slope (Sen 1968) may be believed.
STRETCHES = 20
SEEN_AT_LEAST = 15  # of these; what lay in the holes nobody knows
# Left out at the beginning of what was seen: pools and caches fill, code is compiled. A share and not minutes, so that
# a long hold, which is to find slow leaks, is not disturbed by a slow warm-up.
WARM_UP_RATIO = 0.25
MOST_DEPENDENT = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope(Interval):
    """A gain a unit of time with its 95 % interval."""

    gains: float

    def per(self, factor: float) -> Slope:
        """The same by another unit."""
        return Slope(gains=self.gains * factor, low=self.low * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What was seen of one process after its warm-up, for each stretch that has samples."""

    at_s: Floats
    mean: Floats
    tells: Floats  # what the slope is laid through: the means, or the lowest
    lasted_s: float  # from the first sample after the warm-up to the last

    @property
    def seen_enough(self) -> bool:
        """Whether most stretches have samples."""
        return len(self.at_s) >= SEEN_AT_LEAST

    @property
    def slope(self) -> Slope:
        """What it gains a second."""
        return slope_of(self.at_s, self.tells, self.dependence)

    @property
    def late_slope(self) -> Slope:
        """The same of its second half."""
        half = len(self.at_s) // 2
        return slope_of(self.at_s[half:], self.tells[half:], self.dependence)

    @property
    def dependence(self) -> float:
        """How much one stretch tells of the next: the correlation of neighbours about the line, 0 for none.

        Made up for what a line laid through few points hides of it (Kendall 1954: about (2 + 4r) / n).
        """
        gains = theilslopes(self.tells, self.at_s)[0]
        about = self.tells - gains * self.at_s
        about = about - about.mean()
        spread = float((about**2).sum())
        if spread <= (1e-9 * float(np.abs(self.tells).max(initial=1.0))) ** 2:
            return 0.0
        seen, many = float((about[1:] * about[:-1]).sum()) / spread, len(about)
        return min(max((many * seen + 2) / (many - 4), 0.0), MOST_DEPENDENT)


def course(at_s: Floats, value: Floats, *, by_lowest: bool = False) -> Course | None:
    """The stretches of a series that is in order of time; None without samples.

    by_lowest: for what comes in bursts, such as connections: a leak raises the floor, a burst does not. What wanders to
    both sides, such as memory, is told twice as exactly by its means.
    """
    if not len(at_s):
        return None
    warm_s = float(at_s[0] + WARM_UP_RATIO * (at_s[-1] - at_s[0]))
    at_s, value = at_s[at_s >= warm_s], value[at_s >= warm_s]
    # By time and not by number: a hole in the samples is a stretch without, not a longer one.
    place = np.minimum(((at_s - at_s[0]) / max(at_s[-1] - at_s[0], 1e-9) * STRETCHES).astype(np.int64), STRETCHES - 1)
    stretches = [np.flatnonzero(place == one) for one in np.unique(place)]
    mean = np.array([value[stretch].mean() for stretch in stretches])
    lowest = np.array([stretch[np.argmin(value[stretch])] for stretch in stretches])
    return Course(
        at_s=at_s[lowest] if by_lowest else np.array([at_s[stretch].mean() for stretch in stretches]),
        mean=mean,
        tells=value[lowest] if by_lowest else mean,
        lasted_s=float(at_s[-1] - at_s[0]),
    )


def slope_of(at_s: Floats, tells: Floats, dependence: float = 0.0) -> Slope:
    """Theil–Sen over the stretches; the more neighbours depend on one another, the fewer they are worth."""
    gains, _, low, high = theilslopes(tells, at_s, alpha=CONFIDENCE_RATIO)
    wider = math.sqrt((1 + dependence) / (1 - dependence))
    return Slope(
        gains=float(gains), low=float(gains - wider * (gains - low)), high=float(gains + wider * (high - gains))
    )
