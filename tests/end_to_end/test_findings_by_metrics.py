"""What a platform's own Prometheus shows against a measurement, by real cause and without it. A real Prometheus."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.contracts.prometheus_server import prometheus_binary, prometheus_scraping
from tests.end_to_end.driving import NOISY, driven, findings, laid_out, outcomes
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BY_POD = ", queries: {requests: 'sum by (pod) (http_requests_total{service=\"api-gateway\"})'}"
Count = Callable[[int], dict[str, float]]  # how many requests came → what each pod says it had


def fairly(requests: int) -> dict[str, float]:
    return {"a": requests // 2, "b": requests - requests // 2}


def nine_in_ten_by_one(requests: int) -> dict[str, float]:
    return {"a": 0.9 * requests, "b": 0, "c": 0}


class Metered:
    """A platform with counters that say what they are told to."""

    def __init__(self, count: Count) -> None:
        self.count = count
        self.requests = 0

    async def answer(self, line: str, _number: int) -> bytes:
        if not line.startswith("GET /metrics"):
            self.requests += 1
            return an_answer()
        samples = (
            f'http_requests_total{{service="api-gateway",pod="{pod}"}} {counted}\n'
            for pod, counted in self.count(self.requests).items()
        )
        text = "# TYPE http_requests_total counter\n" + "".join(samples)
        return an_answer(body=text.encode(), headers="Content-Type: text/plain; version=0.0.4\r\n")


@contextmanager
def a_platform(folder: Path, count: Count, **changes: str) -> Iterator[None]:
    """It and its Prometheus, and a plan for it."""
    binary = prometheus_binary()
    if binary is None:
        pytest.skip("no Prometheus is installed")
    with CountingServer(Metered(count).answer) as server:
        address = server.url.removeprefix("http://")
        with prometheus_scraping({"platform": address}, folder, binary, every="500ms") as url:
            laid_out(folder, server.url, target=f', prometheus_url: "{url}"{BY_POD}', **changes)
            yield


def driven_at(folder: Path, count: Count) -> dict[str, Any]:
    with a_platform(folder, count):
        return driven(folder)


def test_a_platform_that_counts_right_and_deals_fairly_has_no_finding(tmp_path: Path) -> None:
    verdict = driven_at(tmp_path, fairly)
    assert findings(verdict) == {}
    assert set(outcomes(verdict).values()) == {"met"}


def test_a_platform_that_counts_otherwise_than_golive_and_all_of_it_in_one_replica_is_found(tmp_path: Path) -> None:
    verdict = driven_at(tmp_path, nine_in_ten_by_one)
    assert findings(verdict).keys() == {"count-mismatch", "one-replica"}
    assert "Of 3 replicas a was given 100.00 %" in findings(verdict)["one-replica"]
    assert set(outcomes(verdict).values()) == {"unproven"}


def test_a_prometheus_that_stands_still_in_the_hold_is_found(tmp_path: Path) -> None:
    def stand_still(_workers: list[psutil.Process]) -> None:
        here = psutil.Process().children()
        (prometheus,) = [child for child in here if "prometheus" in child.name()]
        time.sleep(0.5)
        os.kill(prometheus.pid, signal.SIGSTOP)
        time.sleep(3.5)
        os.kill(prometheus.pid, signal.SIGCONT)

    with a_platform(tmp_path, fairly, THRESHOLDS=f"{{metrics_gap_s: 2, {NOISY}}}"):
        verdict = driven(tmp_path, meanwhile=stand_still)
    assert findings(verdict).keys() == {"metrics-gap"}
    assert set(outcomes(verdict).values()) == {"met"}  # it takes away what only Prometheus knows
