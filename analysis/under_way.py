"""What crosses the ends of a stretch: requests under way (one side of Little's law), and those written late."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.latency_log import FAILED, LAG, SERVICE
from analysis.results import RunRecord
from slo.evidence import Window

Floats = NDArray[np.float64]

US_IN_S = 1e6
INSTANTS = 20  # of a second at which its requests are taken to begin: they are spread evenly over it


def under_way_s(record: RunRecord, window: Window, lag_p99_s: float) -> tuple[float, float]:
    """The time that requests were under way inside the window, added up: at least, and at most.

    A request is booked in the second in which it was due, and under way from its writing on. So what was due shortly
    before the window reaches into it, and what was due at its end is under way after it: a moment where answers are
    fast, seconds where a platform is overloaded, and its queue at the end is longer than at the beginning. Counted is
    what lies inside. Written was all between its due instant and the lag.

    Of what failed the time is known only from the intended start, and it may never have been on its way: it counts for
    the upper bound alone.
    """
    reach_s = math.ceil(record.plan.workload.longest_timeout_s + lag_p99_s) + 1
    answered = [_inside_s(record, [SERVICE], window, reach_s, late_s) for late_s in (0.0, lag_p99_s)]
    failed = [request.name + FAILED for request in record.plan.workload.kinds]
    return min(answered), max(answered) + _inside_s(record, failed, window, reach_s, 0.0)


def written_after(record: RunRecord, window: Window) -> float:
    """How many requests more were written after the window of those due in it, than in it of those due before.

    A lag that stays the same only shifts the load. One that grows lessens it: what the platform had to do in the
    window is less than what was due.
    """
    reach_s = math.ceil(record.plan.workload.longest_timeout_s) + 1
    start, end = int(window.start_unix_s), int(window.end_unix_s)
    return _written_past(record, range(max(end - reach_s, start), end), end) - _written_past(
        record, range(start - reach_s, start), start
    )


def _written_past(record: RunRecord, seconds: range, bound_unix_s: int) -> float:
    """How many of what was due in these seconds were written at an instant or after it."""
    many = 0.0
    for second in seconds:
        booked = record.latency.spread([LAG], range(second, second + 1))
        due_unix_s = (second + (np.arange(INSTANTS) + 0.5) / INSTANTS)[:, None]
        written_unix_s = due_unix_s + booked.values_us[None, :] / US_IN_S
        many += float((written_unix_s >= bound_unix_s).mean(axis=0) @ booked.counts[0])
    return many


def _inside_s(record: RunRecord, tags: Sequence[str], window: Window, reach_s: int, late_s: float) -> float:
    """What lies in the window of all that is booked under these tags, when it was written so late."""
    start, end = int(window.start_unix_s), int(window.end_unix_s)
    all_inside = range(start, max(end - reach_s, start))
    whole = record.latency.spread(tags, all_inside)
    total_s = float(whole.counts[0] @ whole.values_us) / US_IN_S if len(all_inside) else 0.0
    return total_s + sum(
        _of_second_s(record, tags, second, window, late_s) for second in _edges(start - reach_s, all_inside, end)
    )


def _edges(first: int, all_inside: range, end: int) -> Iterable[int]:
    yield from range(first, all_inside.start)
    yield from range(all_inside.stop, end)


def _of_second_s(record: RunRecord, tags: Sequence[str], second: int, window: Window, late_s: float) -> float:
    booked = record.latency.spread(tags, range(second, second + 1))
    took_s = booked.values_us / US_IN_S
    begins_unix_s = (second + late_s + (np.arange(INSTANTS) + 0.5) / INSTANTS)[:, None]
    ends_unix_s = begins_unix_s + took_s[None, :]
    inside_s = np.minimum(ends_unix_s, window.end_unix_s) - np.maximum(begins_unix_s, window.start_unix_s)
    return float(np.maximum(inside_s, 0.0).mean(axis=0) @ booked.counts[0])
