"""Locust's tables tell the engine's totals, exactly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtest.locust_tables import rows
from tests.loadtest.builders import SECOND, counts, latency


def test_failures_are_requests_without_a_time() -> None:
    body = {"counts": [counts(ok=2, failed={"status 503": 1})], "latency": [latency(SECOND, [10_000, 20_000])]}
    row = rows(body, bucket=round)["home"]
    entry = row.entry(name="home", method="GET", start_unix_s=0.0)
    assert (entry["num_requests"], entry["num_failures"], entry["num_none_requests"]) == (3, 1, 1)
    assert sum(entry["response_times"].values()) == 2


def test_unsent_arrivals_are_no_requests() -> None:
    assert rows({"counts": [counts(unsent=5)], "latency": []}, bucket=round) == {}


@given(st.lists(st.integers(1, 60_000_000), min_size=1, max_size=200))
def test_the_times_add_up_to_the_answered_requests(times_us: list[int]) -> None:
    body = {"counts": [counts(ok=len(times_us))], "latency": [latency(SECOND, times_us)]}
    row = rows(body, bucket=round)["home"]
    assert sum(row.times_ms.values()) == row.requests == len(times_us)
    assert abs(row.max_ms * 1000 - max(times_us)) <= max(times_us) / 500
