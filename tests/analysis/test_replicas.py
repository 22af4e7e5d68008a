"""Autoscalers and backlogs as Prometheus tells them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.gather import Clock, gather
from analysis.ports import Series
from analysis.promql import FIXED
from analysis.replicas import autoscaler_series, backlog_series
from analysis.results import read_record
from scenarios.target import PrometheusQueries
from slo.evidence import AutoscalerSeries, BacklogSeries, NotSeen
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic
from tests.fakes import samples

RUN = Synthetic(warm_s=5, hold_s=20, watch_s=10)
NAMESPACE = '{namespace="hotel"}'


def pulled(watched: Watched, folder: Path, **changed: list[Series]) -> Path:
    watched.run.write(folder)
    metrics = watched.metrics()
    metrics.stored = {**metrics.stored, **{FIXED[name] + NAMESPACE: series for name, series in changed.items()}}
    gather(read_record(folder), metrics, Clock(now_unix_s=lambda: T0 + 9e4, sleep_s=lambda _s: None))
    return folder / "evidence"


def the_hpa(watched: Watched, folder: Path) -> AutoscalerSeries:
    told = autoscaler_series(pulled(watched, folder))
    assert not isinstance(told, NotSeen)
    return told[0]


def at(series: AutoscalerSeries, t: float, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> float:
    return float(values[np.searchsorted(series.at_unix_s, T0 + t, side="right") - 1])


def test_an_hpa_is_its_wishes_its_replicas_and_its_limits(tmp_path: Path) -> None:
    hpa = the_hpa(Watched(run=RUN, ready_after_s=6), tmp_path)
    assert (hpa.name, hpa.min_replicas, hpa.max_replicas) == ("core", 8, 80)
    assert [at(hpa, t, hpa.desired) for t in (5, 12, 20)] == [8, 12, 12]
    assert [at(hpa, t, hpa.ready) for t in (5, 12, 20)] == [8, 8, 12]
    assert not hpa.wanted_more.any()


def test_limited_at_the_maximum_is_wanting_more(tmp_path: Path) -> None:
    hpa = the_hpa(Watched(run=RUN, max_replicas=12, wanted_more=lambda t: (t > 5) & (t < 15)), tmp_path)
    wanted_at = hpa.at_unix_s[hpa.wanted_more] - T0
    assert (wanted_at[0], wanted_at[-1]) == pytest.approx((11, 15), abs=1)


def test_limited_below_the_maximum_is_not(tmp_path: Path) -> None:
    assert not the_hpa(Watched(run=RUN, wanted_more=lambda t: t > 5), tmp_path).wanted_more.any()


def test_a_reason_decides_where_it_is_known(tmp_path: Path) -> None:
    benign = Watched(run=RUN, max_replicas=12, has_reasons=True)
    maxed_out = replace(benign, wanted_more=lambda t: (t > 15) & (t < 20))
    assert not the_hpa(benign, tmp_path / "a").wanted_more.any()
    hpa = the_hpa(maxed_out, tmp_path / "b")
    assert [at(hpa, t, hpa.wanted_more) for t in (12, 17)] == [0, 1]


def test_an_hpa_of_another_name_than_its_deployment_is_matched_by_its_reference(tmp_path: Path) -> None:
    watched = Watched(run=RUN)
    labels = {"namespace": "hotel", "horizontalpodautoscaler": "core"}
    info = [samples({**labels, "scaletargetref_name": "core-v2"}, T0 + watched.t, 1)]
    ready = [samples({"namespace": "hotel", "deployment": "core-v2"}, T0 + watched.t, 9)]
    told = autoscaler_series(pulled(watched, tmp_path, hpa_info=info, deployment_ready=ready))
    assert not isinstance(told, NotSeen)
    assert told[0].ready.tolist() == [9.0] * len(told[0].ready)


def test_an_hpa_whose_replicas_nobody_exports_is_not_passed_over(tmp_path: Path) -> None:
    told = autoscaler_series(pulled(Watched(run=RUN), tmp_path, deployment_ready=[]))
    assert told == NotSeen("replicas or limits of core are not exported")


def test_a_platform_without_autoscalers_is_not_seen(tmp_path: Path) -> None:
    told = autoscaler_series(pulled(Watched(run=RUN), tmp_path, hpa_desired=[]))
    assert isinstance(told, NotSeen)
    assert "knows no HPA" in told.because


def test_a_queues_depth_is_told_from_the_hold_on(tmp_path: Path) -> None:
    (queue,) = backlogs(backlog_series(pulled(Watched(run=RUN), tmp_path), T0 + 5.0))
    assert queue.queue == "bookings"
    assert queue.at_unix_s[0] == T0 + 5
    assert queue.depth.max() == 40
    assert queue.depth[-1] == 0


def test_queues_are_told_apart_by_all_their_labels(tmp_path: Path) -> None:
    watched = Watched(run=RUN)
    metrics = watched.metrics()
    lines = [samples({"queue": "a", "shard": str(n)}, T0 + watched.t, n) for n in range(2)]
    metrics.stored = {**metrics.stored, PrometheusQueries().backlog: [*lines, samples({}, T0 + watched.t, 5)]}
    gather(read_record(RUN.write(tmp_path)), metrics, Clock(now_unix_s=lambda: T0 + 9e4, sleep_s=lambda _s: None))
    named = [queue.queue for queue in backlogs(backlog_series(tmp_path / "evidence", T0))]
    assert named == ["queue=a, shard=0", "queue=a, shard=1", "backlog"]


def test_a_platform_without_queues_is_not_seen(tmp_path: Path) -> None:
    target = replace(RUN.plan.target, queries=PrometheusQueries(backlog=""))
    run = replace(RUN, plan_changes={"target": target})
    told = backlog_series(pulled(Watched(run=run), tmp_path), T0)
    assert told == NotSeen("this target names no query for backlog")


def backlogs(told: tuple[BacklogSeries, ...] | NotSeen) -> tuple[BacklogSeries, ...]:
    assert not isinstance(told, NotSeen), told.because
    return told
