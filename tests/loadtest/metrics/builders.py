"""Tallies and pages in the words of the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtest.delta_times import Bounds, TimesSum
from loadtest.metrics.page import MetricsPage, RunCollector
from loadtest.metrics.tally import Tally

ABOUT = {"run": "20261125T010203Z-smoke-ab12", "plan": "smoke"}
VITALS = {"cpu_s": 1.5, "rss_bytes": 1e8, "periods": 0, "throttled_periods": 0}


def a_tally(requests: Sequence[str] = ("home",), *, limits_ms: Sequence[float] = (), workers: int = 1) -> Tally:
    return Tally(requests=requests, bounds=Bounds.with_limits(limits_ms), expected_workers=workers)


def accept(tally: Tally, body: Mapping[str, Any], worker: int = 0) -> None:
    times = TimesSum(tally.bounds)
    times.add(body)
    tally.accepted(worker, body, VITALS)
    tally.timed(times.take())


def a_page(tally: Tally) -> MetricsPage:
    return MetricsPage(RunCollector(tally=tally, planned_rps=lambda: 100.0, about=ABOUT), refresh=lambda: None)
