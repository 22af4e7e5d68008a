"""A real Prometheus beside a real run: what it has scraped is what the record says."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from analysis.latency_log import LAG
from analysis.prometheus import Prometheus
from analysis.results import read_record
from loadtest.conduct import Surroundings, conduct
from loadtest.loopback import HeldPort
from loadtest.versions import own_versions
from tests.contracts.prometheus_server import prometheus_binary, prometheus_scraping
from tests.http_server import CountingServer, an_answer
from tests.loadtest.builders import a_plan
from tests.loadtest.test_control_plane import once_loading

pytestmark = pytest.mark.slow
RPS, DURATION_S = 200.0, 15.0


async def every_fifth_is_bad(_line: str, number: int) -> bytes:
    return an_answer(503 if number % 5 == 0 else 200)


def test_prometheus_sees_the_run_while_it_lasts_and_has_its_totals_afterwards(tmp_path: Path) -> None:
    binary = prometheus_binary()
    if not binary:
        pytest.skip("no Prometheus here: `make setup` brings it")
    port = HeldPort.take()
    folder = tmp_path / "run"
    with (
        prometheus_scraping({"golive": port.address}, tmp_path, binary, every="500ms") as url,
        CountingServer(every_fifth_is_bad) as server,
    ):
        plan = a_plan(rps=RPS, duration_s=DURATION_S, workers=2)
        plan = replace(plan, target=replace(plan.target, url=server.url))
        around = Surroundings(folder=folder, rehearsal=True, versions=own_versions(), metrics=port.address)
        port.release()
        seen: dict[str, float] = {}
        watched = Watching(url, seen, folder, port.address)
        watched.start()
        assert conduct(plan, around) == "complete"
        watched.join()
        assert not watched.wrong
        last = {name: value(url, f"max_over_time({name}[5m])") for name in TOTALS}
    record = [json.loads(line) for line in (folder / "seconds.jsonl").read_text().splitlines()]
    assert last["golive_offered_requests_total"] == sum(line["due"] for line in record) == RPS * DURATION_S
    assert last["golive_sent_requests_total"] == sum(line["sent"] for line in record) == server.total
    assert last["golive_successful_requests_total"] == sum(line["ok"] for line in record)
    assert last['golive_failures_total{kind="status 503"}'] == server.total / 5
    assert last['golive_request_duration_seconds_bucket{clock="intended",le="+Inf"}'] == sum(x["ok"] for x in record)
    times_us = exact_times(folder, "home")
    assert last['golive_request_duration_seconds_bucket{clock="intended",le="0.005"}'] == times_us(5000)
    assert last['golive_schedule_lag_seconds_bucket{le="0.001"}'] == exact_times(folder, LAG)(1000)
    # A rate over ten seconds of reports that come once a second.
    assert seen["rate"] == pytest.approx(RPS, rel=0.12)
    assert seen["running"] == 2
    assert seen["hold"] == 1


TOTALS = (
    "golive_offered_requests_total",
    "golive_sent_requests_total",
    "golive_successful_requests_total",
    'golive_failures_total{kind="status 503"}',
    'golive_request_duration_seconds_bucket{clock="intended",le="+Inf"}',
    'golive_request_duration_seconds_bucket{clock="intended",le="0.005"}',
    'golive_schedule_lag_seconds_bucket{le="0.001"}',
)


def value(url: str, promql: str) -> float:
    (series,) = Prometheus(url).query(promql, at_unix_s=time.time())
    return float(series.values[-1])


def exact_times(folder: Path, tag: str) -> Callable[[int], int]:
    """How many of the record's times under a tag are within a limit."""
    record = read_record(folder)
    table = record.latency.table([tag], record.latency.seconds)
    return lambda limit_us: int(table.counts[:, table.values_us <= limit_us].sum())


class Watching:
    """Asks in the middle of the run, and reads every page as OpenMetrics."""

    def __init__(self, url: str, seen: dict[str, float], folder: Path, address: str) -> None:
        self.wrong = ""
        self._url, self._seen, self._folder, self._address = url, seen, folder, address
        self._thread = threading.Thread(target=self._run)
        self.start, self.join = self._thread.start, self._thread.join

    def _run(self) -> None:
        try:
            once_loading(self._folder, 13.0)
            self._seen["rate"] = value(self._url, "sum(rate(golive_sent_requests_total[10s]))")
            self._seen["running"] = value(self._url, 'golive_workers{state="running"}')
            self._seen["hold"] = value(self._url, 'golive_phase_info{phase="hold"}')
            request = urllib.request.Request(
                f"http://{self._address}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
            )
            with urllib.request.urlopen(request, timeout=5) as answer:
                list(text_string_to_metric_families(answer.read().decode()))
        except Exception as wrong:  # noqa: BLE001  (told by the test itself)
            self.wrong = repr(wrong)
