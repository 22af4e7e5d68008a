"""The whole way through a real Prometheus: golive's own expressions, answered by the program they are written for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.evidence import assemble
from analysis.gather import Clock, gather
from analysis.prometheus import Prometheus
from analysis.results import read_record
from slo.evidence import Evidence, NotSeen, ServerLoad
from slo.validity import Measurement
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic
from tests.contracts.prometheus_server import prometheus_binary, prometheus_over

pytestmark = pytest.mark.slow

RUN = Synthetic(warm_s=10, hold_s=60, watch_s=10, rps=500, failed={30: {"status 503": 40}})
WATCHED = Watched(
    run=RUN, scrape_every_s=2.0, scrape_offset_s=0.7, max_replicas=12, wanted_more=lambda t: (t > 20) & (t < 40),
    depth=lambda t: np.where((t > 0) & (t < 70), 40.0, 0.0), holes=((40.0, 55.0),),
)  # fmt: skip


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evidence, Measurement]:
    binary = prometheus_binary()
    if binary is None:
        pytest.skip("no Prometheus on this machine: make setup unpacks one")
    folder = RUN.write(tmp_path_factory.mktemp("run"))
    with prometheus_over(WATCHED.raw(), tmp_path_factory.mktemp("prometheus"), binary) as url:
        gather(read_record(folder), Prometheus(url, {}), Clock(now_unix_s=lambda: T0 + 9e4, sleep_s=lambda _s: None))
    return assemble(read_record(folder))


def test_client_and_server_agree(seen: tuple[Evidence, Measurement]) -> None:
    server = seen[0].server
    assert isinstance(server, ServerLoad)
    assert server.load_requests == pytest.approx(35_000, rel=1e-4)
    assert server.requests == pytest.approx(30_000, rel=1e-3)
    assert server.errors == pytest.approx(40)
    assert dict(server.buckets)[0.01] == pytest.approx(30_000, rel=1e-3)


def test_replicas_and_backlog_are_found(seen: tuple[Evidence, Measurement]) -> None:
    autoscalers, backlogs = seen[0].autoscalers, seen[0].backlogs
    assert not isinstance(autoscalers, NotSeen)
    assert not isinstance(backlogs, NotSeen)
    assert [(hpa.name, hpa.desired.max(), hpa.ready.max()) for hpa in autoscalers] == [("core", 12, 12)]
    assert autoscalers[0].wanted_more.any()
    assert [(queue.queue, queue.depth.max(), queue.depth[-1]) for queue in backlogs] == [("bookings", 40, 0)]


def test_the_hole_in_the_scrapes_is_seen_though_queries_bridge_it(seen: tuple[Evidence, Measurement]) -> None:
    assert seen[1].metrics_gap_s == pytest.approx(56.7 - 38.7 - 2)


def test_a_prometheus_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    binary = prometheus_binary()
    if binary is None:
        pytest.skip("no Prometheus on this machine: make setup unpacks one")
    folder = RUN.write(tmp_path / "run")
    with prometheus_over({"up": WATCHED.raw()["up"]}, tmp_path, binary) as url:
        gather(read_record(folder), Prometheus(url, {}), Clock(now_unix_s=lambda: T0 + 9e4, sleep_s=lambda _s: None))
    server = assemble(read_record(folder))[0].server
    assert isinstance(server, NotSeen)
    assert "watches something else" in server.because
