"""The metrics page is what Prometheus and OpenMetrics expect, by their own parsers."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from loadtest.metrics import page as page_module
from tests.loadtest.builders import SECOND, counts, latency
from tests.loadtest.metrics.builders import a_page, a_tally, accept

HOLD = 'hold "1" \\'  # what has to be escaped
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def told(metrics: Iterable[Metric]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in metrics
        for sample in metric.samples
    }


def a_busy_page() -> page_module.MetricsPage:
    tally = a_tally(("home", "search"), workers=2)
    tally.happened("worker_ready", {"worker": 0, "clock_offset_s": 0.0})
    tally.happened("load_started", {"t0_unix_s": float(SECOND)})
    tally.happened("phase_started", {"phase": HOLD, "judged": True})
    accept(tally, {
        "counts": [counts(ok=3, failed={"status 503": 1}, unsent=2)],
        "latency": [latency(SECOND, [900, 7000, 70_000_000 - 10_000_001]), latency(SECOND, [400], "golive.lag")],
        "in_flight": [[SECOND, 1.5], [SECOND + 1, 2.5]], "control_timer_us": [[SECOND, 57]],
    })  # fmt: skip
    return a_page(tally)


@pytest.mark.parametrize(
    ("accept_header", "parse", "kind"),
    [(OPENMETRICS, openmetrics, "application/openmetrics-text"), ("", prometheus, "text/plain"),
     ("text/plain;version=0.0.4;q=0.3,*/*;q=0.1", prometheus, "text/plain")],
)  # fmt: skip
def test_each_format_says_the_same(accept_header: str, parse: object, kind: str) -> None:
    content_type, text = a_busy_page().rendered(accept_header)
    assert content_type.startswith(kind)
    samples = told(parse(text.decode()))  # type: ignore[operator]
    assert samples["golive_sent_requests_total", (("request", "home"),)] == 4
    assert samples["golive_unsent_requests_total", (("request", "home"),)] == 2
    assert samples["golive_failures_total", (("kind", "status 503"),)] == 1
    assert samples["golive_workers", (("state", "running"),)] == 1
    assert samples["golive_in_flight_requests", ()] == 2.5
    assert samples["golive_planned_requests_per_second", ()] == 100.0
    assert samples["golive_phase_info", (("judged", "true"), ("phase", HOLD))] == 1
    assert samples["golive_check_result", (("check", "unsent-arrivals"), ("verdict", "found"))] == 1
    assert samples["golive_check_result", (("check", "worker-lost"), ("verdict", "clear"))] == 1
    assert samples["golive_schedule_lag_seconds_bucket", (("le", "0.0005"),)] == 1
    labels = (("clock", "intended"), ("request", "home"))
    assert samples["golive_request_duration_seconds_count", labels] == 3
    assert samples["golive_request_duration_seconds_bucket", (labels[0], ("le", "0.005"), labels[1])] == 1


def test_every_name_is_golives_or_the_processs_own() -> None:
    families = list(openmetrics(a_busy_page().rendered(OPENMETRICS)[1].decode()))
    assert len({family.name for family in families}) == len(families)
    assert all(family.name.startswith(("golive_", "process_")) for family in families)
    assert all(family.documentation for family in families)


def test_series_are_there_before_anything_has_happened() -> None:
    samples = told(openmetrics(a_page(a_tally()).rendered(OPENMETRICS)[1].decode()))
    assert samples["golive_sent_requests_total", (("request", "home"),)] == 0
    assert samples["golive_failures_total", (("kind", "status 503"),)] == 0
    assert samples["golive_request_duration_seconds_count", (("clock", "intended"), ("request", "home"))] == 0


def test_the_run_is_named_in_one_place_and_no_address_anywhere() -> None:
    _, text = a_busy_page().rendered(OPENMETRICS)
    naming = [line for line in text.decode().splitlines() if "20261125T010203Z" in line]
    assert len(naming) == 1
    assert naming[0].startswith("golive_run_info{")
    assert b"http://" not in text


def test_only_the_first_workers_have_series_of_their_own() -> None:
    tally = a_tally(workers=1000)
    for worker in range(1000):
        tally.happened("worker_ready", {"worker": worker, "clock_offset_s": 0.0})
    _, text = a_page(tally).rendered("")
    assert text.count(b"golive_worker_memory_bytes{") == 100
    assert b'golive_workers{state="running"} 1000.0' in text


def test_it_is_made_at_most_twice_a_second_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("loadtest.metrics.page.time.monotonic", lambda: now_s)
    tally = a_tally()
    page = a_page(tally)
    first = page.rendered(OPENMETRICS)
    accept(tally, {"counts": [counts(ok=1)]})
    assert page.rendered(OPENMETRICS) == first
    now_s += 0.6
    assert page.rendered(OPENMETRICS) != first


def test_whoever_looked_regularly_is_waited_for_once_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr("loadtest.metrics.page.time.monotonic", lambda: now_s)
    page = a_page(a_tally())
    assert not page.is_awaited(100.0)
    page.rendered("")
    assert not page.is_awaited(100.0), "one look is no habit"
    now_s = 102.0
    page.rendered("")
    now_s = 103.0
    assert page.is_awaited(102.5)
    page.rendered("")
    assert page.is_awaited(102.9), "it may have been a kept page"
    now_s = 104.0
    page.rendered("")
    assert not page.is_awaited(102.9)
    now_s = 200.0
    assert not page.is_awaited(190.0)
