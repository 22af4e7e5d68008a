"""The worst stretch of the hold: most due requests not answered correctly, then the slowest."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.timeline import US_IN_MS, quantile_per_row
from slo.evidence import ClientLoad, Counts, Evidence, LatencyTable, NotSeen
from slo.objective import Objective, Throughput
from slo.throughput import window_starts

USUAL_WINDOW_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstWindow:
    """One stretch of the hold, counted as throughput is. Latencies are NaN when nothing was answered."""

    start_unix_s: int
    duration_s: int
    due: int
    ok: int
    p95_ms: float
    p99_ms: float

    @property
    def answered_rps(self) -> float:
        """Correct answers a second."""
        return self.ok / self.duration_s


def worst_window(evidence: Evidence, objectives: tuple[Objective, ...]) -> WorstWindow | None:
    """Look at every window that the throughput objective judges; None when not a second of the hold was seen."""
    client = evidence.client
    if isinstance(client, NotSeen) or not len(client.due):
        return None
    asked = next((one.window_s for one in objectives if isinstance(one, Throughput)), USUAL_WINDOW_S)
    length = min(asked, len(client.due))
    starts = window_starts(len(client.due), length, to_the_end=evidence.hold_complete)
    return max((_window(client, start, length) for start in starts), key=_badness)


def _window(client: ClientLoad, start: int, length: int) -> WorstWindow:
    inside = slice(start, start + length)
    answered = client.answered.counts[inside].sum(axis=0)
    p95_ms, p99_ms = (quantile_ms(client.answered.values_us, answered, ratio) for ratio in (0.95, 0.99))
    return WorstWindow(
        start_unix_s=int(client.seconds_unix[start]),
        duration_s=length,
        due=int((client.due - client.not_yet)[inside].sum()),
        ok=int(client.fulfilled[inside].sum()),
        p95_ms=p95_ms,
        p99_ms=p99_ms,
    )


def _badness(window: WorstWindow) -> tuple[int, float]:
    """Unanswered requests first, then slowness."""
    return window.due - window.ok, 0.0 if math.isnan(window.p99_ms) else window.p99_ms


def quantile_ms(values_us: Counts, counts: Counts, ratio: float) -> float:
    """The latency that this share of the requests did not exceed; NaN without any."""
    row = LatencyTable(values_us=values_us, counts=counts[None, :])
    return float(quantile_per_row(row, ratio)[0]) / US_IN_MS
