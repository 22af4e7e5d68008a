"""Locust's tables tell the engine's totals, exactly."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.delta_times import Bounds, TimesSum
from loadtest.locust_tables import Row, Rows
from tests.loadtest.builders import SECOND, counts, latency


def added(*bodies: dict[str, Any]) -> dict[str, Row]:
    rows, times = Rows(), TimesSum(Bounds())
    for body in bodies:
        rows.count(body)
        times.add(body)
    return rows.take(times.take())


def test_failures_are_requests_without_a_time() -> None:
    body = {"counts": [counts(ok=2, failed={"status 503": 1})], "latency": [latency(SECOND, [10_000, 20_000])]}
    row = added(body)["home"]
    entry = row.entry(name="home", method="GET", start_unix_s=0.0)
    assert (entry["num_requests"], entry["num_failures"], entry["num_none_requests"]) == (3, 1, 1)
    assert sum(entry["response_times"].values()) == 2


def test_unsent_arrivals_are_no_requests() -> None:
    assert added({"counts": [counts(unsent=5)], "latency": []}) == {}


def test_several_deltas_are_added_together_and_told_once() -> None:
    body = {"counts": [counts(ok=2)], "latency": [latency(SECOND, [10_000, 20_000])]}
    row = added(body, body, {"counts": [counts(SECOND + 1, ok=1)], "latency": [latency(SECOND + 1, [5_000])]})["home"]
    assert (row.requests, dict(row.times_ms)) == (5, {5: 1, 10: 2, 20: 2})
    rows = Rows()
    rows.count(body)
    assert rows.take([])
    assert rows.take([]) == {}


@given(st.lists(st.integers(1, 60_000_000), min_size=1, max_size=200))
def test_the_times_add_up_to_the_answered_requests(times_us: list[int]) -> None:
    body = {"counts": [counts(ok=len(times_us))], "latency": [latency(SECOND, times_us)]}
    row = added(body)["home"]
    assert sum(row.times_ms.values()) == row.requests == len(times_us)
    assert row.max_ms * 1000 == pytest.approx(max(times_us), rel=0.002)
    assert row.total_ms * 1000 == pytest.approx(sum(times_us), rel=0.002, abs=1)


@given(st.integers(1, 60_000_000))
def test_times_are_rounded_as_locust_rounds_them(time_us: int) -> None:
    (rounded,) = added({"counts": [counts(ok=1)], "latency": [latency(SECOND, [time_us])]})["home"].times_ms
    near = {expected(time_us * scale / 1000) for scale in (0.999, 1.0, 1.001)}  # a histogram step is 0.1 % wide
    assert rounded in near


def expected(time_ms: float) -> int:
    """Locust 2.47, stats.py: whole ms below 100, then two digits."""
    for limit, digits in ((100, 0), (1000, -1), (10_000, -2)):
        if time_ms < limit:
            return int(round(time_ms, digits))
    return int(round(time_ms, -3))
