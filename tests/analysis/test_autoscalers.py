"""Which witness of the autoscalers is believed, and what each of them tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.autoscalers import Seen, autoscalers_seen
from analysis.cluster.record import read_cluster
from analysis.results import read_record
from slo.evidence import AutoscalerSeries, NotSeen
from tests.analysis.cluster.clusters import MAXED_OUT, NO_METRICS, WELL, WatchedCluster
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic

RUN = Synthetic(warm_s=5, hold_s=60, watch_s=10)


def seen(folder: Path, *, prometheus: bool = False, **cluster: Any) -> Seen:
    RUN.write(folder)
    if prometheus:
        Watched(run=RUN, desired=lambda t: np.where(t < 10, 2.0, 4.0)).pull(folder)
    WatchedCluster(run=RUN, **cluster).write(folder)
    return autoscalers_seen(read_record(folder), read_cluster(folder))


def believed(one: Seen) -> AutoscalerSeries:
    assert not isinstance(one.believed, NotSeen)
    (series,) = one.believed
    return series


def test_without_a_watch_prometheus_is_believed(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    Watched(run=RUN).pull(tmp_path)
    one = autoscalers_seen(read_record(tmp_path), None)
    assert one.believed == one.by_prometheus
    assert not isinstance(one.believed, NotSeen)


def test_kubernetes_goes_before_prometheus_and_both_are_kept(tmp_path: Path) -> None:
    one = seen(tmp_path, prometheus=True)
    assert believed(one).source == "Kubernetes' own word, every 2 s"
    assert one.believed == one.by_kubernetes
    assert not isinstance(one.by_prometheus, NotSeen)


def test_replicas_are_those_that_serve(tmp_path: Path) -> None:
    series = believed(seen(tmp_path))
    assert (series.name, series.min_replicas, series.max_replicas) == ("core", 2, 9)
    at = {int(t): (int(want), int(had)) for t, want, had in
          zip(series.at_unix_s - T0, series.desired, series.ready, strict=True)}  # fmt: skip
    assert (at[8], at[10], at[14], at[16]) == ((2, 2), (4, 2), (4, 2), (4, 4))


@pytest.mark.parametrize("hidden", ["deployments_seen", "pods_seen"])
def test_deployments_and_pods_each_tell_what_is_ready(hidden: str, tmp_path: Path) -> None:
    series = believed(seen(tmp_path, **{hidden: False}))
    assert series.ready[-1] == 4
    assert series.scale_ups[0].took_s == pytest.approx(15, abs=0.2)  # from the load's step at 0 to ready at 15


def test_an_hpa_whose_replicas_nobody_saw_is_told_by_prometheus(tmp_path: Path) -> None:
    one = seen(tmp_path, prometheus=True, pods_seen=False, deployments_seen=False)
    assert one.by_kubernetes == NotSeen("Kubernetes did not tell the replicas of core")
    assert one.believed == one.by_prometheus


def test_each_leg_of_a_scale_up_is_timed(tmp_path: Path) -> None:
    (up,) = believed(seen(tmp_path)).scale_ups
    took = {leg.stage.value: round(leg.took_s, 1) for leg in up.legs}
    assert took == {"over target": 6.0, "desired": 4.0, "replicas": 0.2, "scheduled": 0.3, "ready": 4.5}
    assert (up.from_replicas, up.to_replicas, up.by_step) == (2, 4, True)


def test_prometheus_tells_scale_ups_too(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    Watched(run=RUN, ready_after_s=6).pull(tmp_path)
    (up,) = believed(autoscalers_seen(read_record(tmp_path), None)).scale_ups
    assert (up.from_replicas, up.to_replicas) == (8, 12)
    assert {leg.stage.value: round(leg.took_s) for leg in up.legs} == {"desired": 11, "ready": 6}


def test_conditions_stand_with_their_reasons_for_as_long_as_they_stood(tmp_path: Path) -> None:
    series = believed(seen(tmp_path, conditions=lambda t: MAXED_OUT if 20 <= t < 40 else WELL))
    (limited,) = [one for one in series.conditions if one.reason == "TooManyReplicas"]
    assert (limited.kind, limited.holds, limited.window.duration_s) == ("ScalingLimited", True, 20)
    assert (series.at_unix_s[series.wanted_more][[0, -1]] - T0).tolist() == [20, 38]


def test_at_the_minimum_nothing_more_is_wanted(tmp_path: Path) -> None:
    few = (*WELL[:2], ("ScalingLimited", True, "TooFewReplicas"))
    assert not believed(seen(tmp_path, conditions=lambda _t: few)).wanted_more.any()


def test_an_old_limit_is_no_news_while_the_metrics_are_gone(tmp_path: Path) -> None:
    assert not believed(seen(tmp_path, conditions=lambda _t: NO_METRICS)).wanted_more.any()


def test_before_its_first_decision_an_hpa_lets_be_what_there_is(tmp_path: Path) -> None:
    series = believed(seen(tmp_path, desired=lambda t: 0 if t < 0 else 3, created_after_s=-100))
    assert set(series.desired[:5]) == {3}
    assert series.scale_ups == ()


def test_a_gap_in_the_looks_is_told_with_its_cause(tmp_path: Path) -> None:
    gap = ("horizontalpodautoscalers", 20.0, 45.0, "503 server error", True)
    one = seen(tmp_path, unseen=((20, 45),), blind=(gap,))
    assert one.blindness
    assert one.blindness.lasted_s == pytest.approx(25, abs=4)
    assert (one.blindness.because, one.blindness.bridged) == ("503 server error", False)
    assert one.believed == one.by_kubernetes


def test_prometheus_bridges_a_gap_that_it_saw(tmp_path: Path) -> None:
    one = seen(tmp_path, prometheus=True, unseen=((20, 45),))
    assert one.blindness
    assert one.blindness.bridged
    assert one.believed == one.by_prometheus


def test_a_watch_that_sees_all_is_not_blind_for_longer_than_a_look(tmp_path: Path) -> None:
    one = seen(tmp_path)
    assert one.blindness is None or one.blindness.lasted_s <= 2


def test_hpas_that_may_not_be_read_leave_prometheus(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    Watched(run=RUN).pull(tmp_path)
    WatchedCluster(run=RUN, refused=("horizontalpodautoscalers",)).write(tmp_path)
    (tmp_path / "kubernetes" / "hpas.jsonl").unlink()
    one = autoscalers_seen(read_record(tmp_path), read_cluster(tmp_path))
    assert one.by_kubernetes == NotSeen("Kubernetes told of no HPA (horizontalpodautoscalers: 403 forbidden)")
    assert one.believed == one.by_prometheus
    assert one.blindness is None
