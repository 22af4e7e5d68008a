"""How far runs were from each threshold of validity: `python -m tests.margins RUN…` prints a line a run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.evidence import assemble
from analysis.results import read_record
from slo.evidence import ClientLoad, Evidence, ServerLoad
from slo.spread_findings import unevenness
from slo.validity import Measurement, Thresholds

UNKNOWN = float("nan")


def margins(folder: Path) -> Mapping[str, float]:
    """What a run showed of each figure that has a threshold, by the threshold's name."""
    evidence, seen = assemble(read_record(folder))
    client = evidence.client
    load = client if isinstance(client, ClientLoad) else None
    due = max(int(load.due.sum()), 1) if load else 1
    return {
        "lag_p99_ms": seen.lag_p99_us / 1000,
        "unsent_ratio": int(load.unsent.sum()) / due if load else UNKNOWN,
        "shortfall_ratio": int((load.due - load.sent - load.unsent).sum()) / due if load else UNKNOWN,
        "late_ratio": max(seen.written_after, 0.0) / due,
        "clock_skew_s": max(abs(worker.clock_offset_s) for worker in seen.workers),
        "littles_law_ratio": _littles_law(seen, load),
        "count_mismatch_ratio": _mismatch(evidence, load),
        "throttled_ratio": max(worker.throttled_ratio for worker in seen.workers),
        "control_timer_p99_ms": max(worker.control_timer_p99_us for worker in seen.workers) / 1000,
        "metrics_gap_s": seen.metrics_gap_s,
        "uneven_addresses_ratio": unevenness(seen.addresses),
        "uneven_replicas_ratio": unevenness(seen.replicas),
        "cached_ratio": load.cached / due if load else UNKNOWN,
        "repeated_ratio": load.repeated / due if load else UNKNOWN,
    }


def _littles_law(seen: Measurement, load: ClientLoad | None) -> float:
    if load is None or not seen.under_way_s or not seen.under_way_s[0]:
        return UNKNOWN
    low, high = (under_way_s / len(load.seconds_unix) for under_way_s in seen.under_way_s)
    return max(1 - seen.mean_in_flight / low, seen.mean_in_flight / high - 1, 0.0)


def _mismatch(evidence: Evidence, load: ClientLoad | None) -> float:
    server = evidence.server
    if load is None or not load.load_sent or not isinstance(server, ServerLoad) or server.load_requests is None:
        return UNKNOWN
    return server.load_requests / load.load_sent - 1


def main() -> None:
    """Print one column a run, and the default threshold beside them."""
    runs = [margins(Path(folder)) for folder in sys.argv[1:]]
    for name in runs[0]:
        figures = "  ".join(f"{run[name]:9.5f}" for run in runs)
        sys.stdout.write(f"{name:24} {getattr(Thresholds(), name):8g}   {figures}\n")


if __name__ == "__main__":
    main()
