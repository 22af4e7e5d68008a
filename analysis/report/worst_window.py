"""The worst stretch of the hold: most due requests not answered correctly, then the slowest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.timeline import US_IN_MS, quantile_per_row
from slo.evidence import ClientLoad, Counts, Evidence, LatencyTable, NotSeen
from slo.objective import Objective, Throughput

USUAL_WINDOW_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstWindow:
    """One stretch of the hold and what happened in it. Latencies are NaN when nothing was answered."""

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
    """Look at every stretch of the throughput objective's length; None when not a second of the hold was seen."""
    client = evidence.client
    if isinstance(client, NotSeen) or not len(client.due):
        return None
    asked = next((one.window_s for one in objectives if isinstance(one, Throughput)), USUAL_WINDOW_S)
    length = min(asked, len(client.due))
    due, ok = _sums(client.due, length), _sums(client.ok, length)
    p99_ms = _rolling_quantile_ms(client, length, 0.99)
    at = int(np.lexsort((np.nan_to_num(p99_ms), due - ok))[-1])
    inside = client.answered.counts[at : at + length].sum(axis=0)
    return WorstWindow(
        start_unix_s=int(client.seconds_unix[at]),
        duration_s=length,
        due=int(due[at]),
        ok=int(ok[at]),
        p95_ms=quantile_ms(client.answered.values_us, inside, 0.95),
        p99_ms=float(p99_ms[at]),
    )


def quantile_ms(values_us: Counts, counts: Counts, ratio: float) -> float:
    """The latency that this share of the requests did not exceed; NaN without any."""
    row = LatencyTable(values_us=values_us, counts=counts[None, :])
    return float(quantile_per_row(row, ratio)[0]) / US_IN_MS


def _sums(counts: Counts, length: int) -> Counts:
    """The sum of every `length` neighbours."""
    reached = np.concatenate(([0], np.cumsum(counts)))
    return np.asarray(reached[length:] - reached[:-length], dtype=np.int64)


def _rolling_quantile_ms(client: ClientLoad, length: int, ratio: float) -> NDArray[np.float64]:
    table = client.answered
    inside = table.counts[:length].sum(axis=0)
    found = [quantile_ms(table.values_us, inside, ratio)]
    for enters in range(length, len(table.counts)):
        inside = inside + table.counts[enters] - table.counts[enters - length]
        found.append(quantile_ms(table.values_us, inside, ratio))
    return np.array(found)
