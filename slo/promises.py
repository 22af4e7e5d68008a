"""Promises window by window: whether latency and errors held in each few seconds around a spike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from slo.evidence import ClientLoad, NotSeen, SpikeSeen
from slo.intervals import quantile
from slo.latency import slow_failures_counted
from slo.objective import Recovery
from slo.sample_size import needed_for

US_PER_MS = 1000.0


class Promise(StrEnum):
    """What one window says."""

    KEPT = "kept"
    BROKEN = "broken"
    TOO_FEW = "too few"  # requests: it proves nothing, in either direction


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseWindow:
    """The requests due in one window. latency_ms: the promised percentile of them; NaN without any."""

    start_unix_s: float
    end_unix_s: float
    sent: int
    failed: int
    latency_ms: float
    promise: Promise

    @property
    def failed_ratio(self) -> float:
        """The share of what was sent that failed."""
        return self.failed / self.sent if self.sent else 0.0


def promise_windows(objective: Recovery, spike: SpikeSeen) -> tuple[PromiseWindow, ...]:
    """Every window that was watched, those before the spike too; one begins exactly where the spike ends.

    Their counts are complete, so they are compared exactly. As for the hold, a fast failure does not help the latency,
    and a slow one, or one never answered, counts as slow.
    """
    client = spike.client
    if isinstance(client, NotSeen):
        return ()
    values_us, counts = slow_failures_counted(client, objective.latency_below_ms * US_PER_MS)
    bounds = [round(at - client.seconds_unix[0]) for at in (spike.window.start_unix_s, spike.window.end_unix_s)]
    return tuple(
        _window(objective, client, inside, values_us, counts[inside].sum(axis=0))
        for inside in _slices(len(client.seconds_unix), bounds, objective.window_s)
    )


def _slices(seconds: int, bounds: list[int], window_s: int) -> Iterator[slice]:
    """Windows before, in and after the spike. A rest that fills none joins the window that is farthest from its end."""
    onset, end = (min(bound, seconds) for bound in bounds)
    for start, stop in ((0, onset), (onset, end), (end, seconds)):
        if stop > start:
            whole = max((stop - start) // window_s, 1)
            before = [start, *(stop - window_s * left for left in range(whole - 1, -1, -1))]
            after = [*(start + window_s * number for number in range(whole)), stop]
            yield from (slice(*pair) for pair in pairwise(after if start == end else before))


def _window(
    objective: Recovery,
    client: ClientLoad,
    inside: slice,
    values_us: np.ndarray[tuple[int], np.dtype[np.float64]],
    counts: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> PromiseWindow:
    sent, failed = int(client.decided[inside].sum()), int(client.failed[inside].sum())
    timed = int(counts.sum())
    latency_ms = (
        quantile(values_us, counts.astype(np.float64), objective.quantile_ratio) / US_PER_MS if timed else math.nan
    )
    judged = (
        (timed >= needed_for(objective.quantile_ratio), latency_ms < objective.latency_below_ms),
        (sent >= needed_for(1 - objective.errors_below_ratio), failed < objective.errors_below_ratio * sent),
    )
    return PromiseWindow(
        start_unix_s=float(client.seconds_unix[inside.start]),
        end_unix_s=float(client.seconds_unix[inside.stop - 1]) + 1,
        sent=sent,
        failed=failed,
        latency_ms=latency_ms,
        promise=_promise(judged),
    )


def _promise(judged: tuple[tuple[bool, bool], ...]) -> Promise:
    """One broken is enough; kept takes both, each by enough requests."""
    if any(enough and not held for enough, held in judged):
        return Promise.BROKEN
    return Promise.KEPT if all(enough for enough, _ in judged) else Promise.TOO_FEW
