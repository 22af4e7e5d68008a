"""How sure a figure is: intervals of quantiles, and how much longer would decide. Pure and repeatable."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from slo.sample_size import CONFIDENCE_RATIO

RESAMPLES = 1000
BLOCK_S = 5  # requests of neighbouring seconds share their fate; blocks of 5 s hold that together
SEED = 20260101  # the same record gives the same interval, today and in a year

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where the true value lies with 95 % confidence."""

    low: float
    high: float


def quantile(values: Floats, counts: Floats, quantile_ratio: float) -> float:
    """The smallest value that at least this share of the counts does not exceed (nearest rank).

    values: (V,) ascending; counts: (V,).
    """
    reached = np.cumsum(counts)
    rank = max(math.ceil(round(quantile_ratio * float(reached[-1]), 6)), 1)
    return float(values[int(np.searchsorted(reached, rank))])


def quantile_interval(values: Floats, counts: NDArray[np.int64], quantile_ratio: float) -> Interval:
    """The 95 % interval of a quantile: the wider one, on each side, of what order and what time leave open.

    values: (V,) ascending; counts: (S, V), row s a second.
    """
    used = counts.any(axis=0)
    values, counts = values[used], counts[:, used]
    by_time, by_order = _by_blocks(values, counts, quantile_ratio), _by_order(values, counts, quantile_ratio)
    return Interval(low=min(by_time.low, by_order.low), high=max(by_time.high, by_order.high))


def _by_order(values: Floats, counts: NDArray[np.int64], quantile_ratio: float) -> Interval:
    """What would be open if requests were independent: the ranks that the true quantile may have (Hahn & Meeker 1991).

    Blocks alone know too little of a short hold (of one block, nothing varies) and of a quantile that a handful of
    requests decides. Beyond the largest value there is none: that enough requests were seen is asked elsewhere.
    """
    reached = np.cumsum(counts.sum(axis=0))
    total, tail = int(reached[-1]), (1 - CONFIDENCE_RATIO) / 2
    below, above = binom.ppf([tail, 1 - tail], total, quantile_ratio)
    low, high = np.searchsorted(reached, [max(below, 1), min(above + 1, total)])
    return Interval(low=float(values[low]), high=float(values[high]))


def _by_blocks(values: Floats, counts: NDArray[np.int64], quantile_ratio: float) -> Interval:
    """What is open since requests are not independent: a block bootstrap over time.

    Whole blocks of seconds are drawn again, with replacement, and merged (Künsch 1989; percentile interval).
    """
    blocks = _blocks(counts)
    draws = np.random.default_rng(SEED).multinomial(len(blocks), np.full(len(blocks), 1 / len(blocks)), size=RESAMPLES)
    merged = np.cumsum(draws.astype(np.float64) @ blocks, axis=1)
    ranks = np.maximum(np.ceil(np.round(quantile_ratio * merged[:, -1], 6)), 1.0)
    places = (merged < ranks[:, None]).sum(axis=1)
    found = values[np.minimum(places, len(values) - 1)]
    tail = (1 - CONFIDENCE_RATIO) / 2
    low, high = np.quantile(found, [tail, 1 - tail], method="closest_observation")
    return Interval(low=float(low), high=float(high))


def _blocks(counts: NDArray[np.int64]) -> Floats:
    """Seconds added up to blocks; a rest shorter than a block joins the last one."""
    whole = max(len(counts) // BLOCK_S, 1)
    edges = np.arange(whole) * BLOCK_S
    return np.add.reduceat(counts.astype(np.float64), edges, axis=0)


def longer_s(*, interval: Interval, measured: float, limit: float, held_s: float) -> float:
    """How much longer the hold would have to be for the limit to leave the interval, if nothing else changed.

    An interval shrinks with the root of the time: its half on the limit's side must come below the distance to it.
    """
    distance = abs(limit - measured)
    if distance == 0:
        return math.inf
    open_still = interval.high - measured if limit > measured else measured - interval.low
    return max(held_s * ((open_still / distance) ** 2 - 1), held_s * 0.1)
