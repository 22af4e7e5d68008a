"""What the platform's own counters say of the hold and of the load."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.evidence import assemble
from analysis.gather import Clock, gather
from analysis.results import read_record
from scenarios.target import PrometheusQueries
from slo.evidence import NotSeen, ServerLoad
from slo.findings import find
from slo.validity import FindingKind, Thresholds
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic
from tests.fakes import FakeMetrics, samples

RUN = Synthetic(warm_s=5, hold_s=20, watch_s=10)


def told_by(watched: Watched, folder: Path) -> ServerLoad | NotSeen:
    watched.pull(watched.run.write(folder))
    return assemble(read_record(folder))[0].server


def told(watched: Watched, folder: Path) -> ServerLoad:
    load = told_by(watched, folder)
    assert isinstance(load, ServerLoad)
    return load


def told_with(metrics: FakeMetrics, folder: Path) -> ServerLoad | NotSeen:
    RUN.write(folder)
    gather(read_record(folder), metrics, Clock(now_unix_s=lambda: T0 + 9e4, sleep_s=lambda _s: None))
    return assemble(read_record(folder))[0].server


@pytest.mark.parametrize(("every_s", "offset_s"), [(1.0, 0.4), (1.0, 0.0), (2.0, 1.7), (5.0, 3.3)])
def test_the_holds_requests_are_told_whatever_the_scrapes(tmp_path: Path, every_s: float, offset_s: float) -> None:
    load = told(Watched(run=RUN, scrape_every_s=every_s, scrape_offset_s=offset_s), tmp_path)
    assert load.requests == pytest.approx(2000, rel=1e-6)
    assert load.load_requests == pytest.approx(2500, rel=1e-6)


def test_a_hold_that_begins_from_rest_has_all_its_requests(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=20)
    load = told(Watched(run=run, scrape_every_s=3.0, scrape_offset_s=1.1), tmp_path)
    assert load.requests == load.load_requests == pytest.approx(2000, rel=1e-6)


def test_errors_are_those_of_the_hold(tmp_path: Path) -> None:
    run = replace(RUN, failed={2: {"status 503": 9}, 12: {"status 500": 4, "check": 2}})
    assert told(Watched(run=run), tmp_path).errors == pytest.approx(4)


def test_a_platform_without_a_single_error_has_none(tmp_path: Path) -> None:
    assert told(Watched(run=RUN), tmp_path).errors == 0


def test_buckets_are_cumulative_up_to_infinity(tmp_path: Path) -> None:
    buckets = dict(told(Watched(run=RUN), tmp_path).buckets)
    assert buckets[0.0025] == 0
    assert buckets[0.005] == pytest.approx(2000 / 3)
    assert buckets[0.01] == buckets[math.inf] == pytest.approx(2000)


def test_without_buckets_the_counts_still_stand(tmp_path: Path) -> None:
    metrics = Watched(run=RUN).metrics()
    metrics.stored = {**metrics.stored, PrometheusQueries().duration_buckets: ()}
    load = told_with(metrics, tmp_path)
    assert isinstance(load, ServerLoad)
    assert load.buckets == ()


def test_a_platform_that_counted_less_is_shown_as_it_is(tmp_path: Path) -> None:
    load = told(Watched(run=RUN, seen_ratio=0.9), tmp_path)
    assert load.load_requests == pytest.approx(2250, rel=1e-6)


def test_no_series_means_that_prometheus_watches_something_else(tmp_path: Path) -> None:
    load = told_with(FakeMetrics(), tmp_path)
    assert isinstance(load, NotSeen)
    assert "knows no series" in load.because
    assert "watches something else" in load.because


def test_counters_that_stand_still_under_load_are_told_as_they_are_and_do_not_reconcile(tmp_path: Path) -> None:
    load = told_by(Watched(run=RUN, seen_ratio=0.0), tmp_path)
    assert not isinstance(load, NotSeen)
    assert (load.requests, load.load_requests) == (0, 0)
    evidence, facts = assemble(read_record(tmp_path))
    assert [one.kind for one in find(facts, evidence, Thresholds())] == [FindingKind.COUNT_MISMATCH]


def test_counters_that_stand_still_since_nobody_scraped_them_are_not_seen(tmp_path: Path) -> None:
    load = told_by(Watched(run=RUN, holes=((-1.0, 999.0),)), tmp_path)
    assert isinstance(load, NotSeen)
    assert "did not grow in the hold while 2,000 requests were answered" in load.because


def test_a_dead_prometheus_is_not_seen_with_its_reason(tmp_path: Path) -> None:
    load = told_with(FakeMetrics(dead=True), tmp_path)
    assert isinstance(load, NotSeen)
    assert "does not answer" in load.because


def test_errors_nobody_can_tell_leave_the_server_unseen(tmp_path: Path) -> None:
    metrics = Watched(run=RUN).metrics()
    metrics.refused = frozenset({PrometheusQueries().errors})
    load = told_with(metrics, tmp_path)
    assert isinstance(load, NotSeen)
    assert load.because.startswith("the platform's errors: ")


def test_a_target_that_names_no_query_is_not_seen(tmp_path: Path) -> None:
    target = replace(RUN.plan.target, queries=PrometheusQueries(requests=""))
    run = replace(RUN, plan_changes={"target": target})
    assert told_by(Watched(run=run), tmp_path) == NotSeen("this target names no query for requests")


def test_counters_last_scraped_before_the_loads_end_reconcile_nothing(tmp_path: Path) -> None:
    assert told(Watched(run=RUN, holes=((22.0, 99.0),)), tmp_path).load_requests is None


def test_counters_first_scraped_in_the_load_reconcile_nothing(tmp_path: Path) -> None:
    assert told(Watched(run=RUN, holes=((-99.0, 2.0),)), tmp_path).load_requests is None


def test_series_of_several_pods_each_go_through_their_own_restarts(tmp_path: Path) -> None:
    watched = Watched(run=RUN)
    metrics, t = watched.metrics(), watched.t
    grown = RUN.rps / 2 * t.clip(0, RUN.loaded_s)
    restarted = grown - grown[t < 15][-1] * (t >= 15)
    pods = [samples({"pod": "a"}, T0 + t, 700 + grown), samples({"pod": "b"}, T0 + t, restarted)]
    metrics.stored = {**metrics.stored, PrometheusQueries().requests: pods}
    load = told_with(metrics, tmp_path)
    assert isinstance(load, ServerLoad)
    assert load.load_requests == pytest.approx(2500, abs=RUN.rps / 2)
