"""A watch's files read back: whole, torn, with lines left out."""

from __future__ import annotations

from pathlib import Path

from analysis.cluster.record import ClusterRecord, read_cluster
from tests.analysis.cluster.clusters import OwnPod, WatchedCluster
from tests.analysis.records import T0, Synthetic

RUN = Synthetic()


def read(folder: Path, watched: WatchedCluster) -> ClusterRecord:
    cluster = read_cluster(watched.write(RUN.write(folder)))
    assert cluster
    return cluster


def test_a_run_that_watched_no_cluster_has_none(tmp_path: Path) -> None:
    assert read_cluster(RUN.write(tmp_path)) is None


def test_what_a_look_leaves_out_is_as_it_was(tmp_path: Path) -> None:
    readings = read(tmp_path, WatchedCluster(run=RUN)).hpas["core"]
    assert [one.told["desired"] for one in readings if one.at_unix_s in (T0, T0 + 8, T0 + 10, T0 + 20)] == [2, 2, 4, 4]
    assert len(readings) == len({one.at_unix_s for one in readings})


def test_looks_before_the_first_whole_line_say_nothing(tmp_path: Path) -> None:
    folder = WatchedCluster(run=RUN).write(RUN.write(tmp_path))
    path = folder / "kubernetes" / "hpas.jsonl"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True)[1:]))
    cluster = read_cluster(folder)
    assert cluster
    assert cluster.hpas["core"] == ()


def test_a_pods_life_has_each_stage_to_a_tenth_of_a_second_though_kubernetes_tells_seconds(tmp_path: Path) -> None:
    cluster = read(tmp_path, WatchedCluster(run=RUN))
    late = max(cluster.platform_pods(), key=lambda pod: pod.created_unix_s)
    times = [late.created_unix_s, late.scheduled_unix_s, late.ready_unix_s]
    assert [round(at - T0, 1) for at in times if at is not None] == [10.2, 10.5, 15.0]


def test_golives_own_pods_are_not_the_platforms(tmp_path: Path) -> None:
    cluster = read(tmp_path, WatchedCluster(run=RUN, own=(OwnPod(name="w-0"),)))
    assert [pod.name for pod in cluster.own_pods()] == ["w-0"]
    assert {pod.owner for pod in cluster.platform_pods()} == {"Deployment/core"}


def test_another_runs_pods_in_the_same_namespace_are_none_of_ours(tmp_path: Path) -> None:
    ours, theirs = OwnPod(name="w-0"), OwnPod(name="x-0", changes={1: {"run": "R2"}})
    cluster = read(tmp_path, WatchedCluster(run=RUN, own=(ours, theirs)))
    assert [pod.name for pod in cluster.own_pods()] == ["w-0"]
    assert "x-0" not in [pod.name for pod in cluster.platform_pods()]


def test_restarts_are_those_that_were_seen(tmp_path: Path) -> None:
    pod = OwnPod(name="w-0", changes={3: {"restarts": 7}, 9: {"restarts": 9}})
    (own,) = read(tmp_path, WatchedCluster(run=RUN, own=(pod,))).own_pods()
    assert own.restarts_seen == 9


def test_gaps_are_told_and_refusals_are_none_of_them(tmp_path: Path) -> None:
    blind = (("pods", 3, 9, "503 server error", True), ("nodes", -9, 30, "403 forbidden", True))
    cluster = read(tmp_path, WatchedCluster(run=RUN, blind=blind))
    assert [(gap.kind, gap.end_unix_s - gap.start_unix_s) for gap in cluster.gaps] == [("pods", 6)]
    assert cluster.refused == ("nodes: 403 forbidden",)


def test_a_torn_line_is_left_out_and_named(tmp_path: Path) -> None:
    folder = WatchedCluster(run=RUN).write(RUN.write(tmp_path))
    with (folder / "kubernetes" / "pods.jsonl").open("a") as file:
        file.write('{"at_unix_s": 17')
    cluster = read_cluster(folder)
    assert cluster
    assert cluster.unreadable == ("kubernetes/pods.jsonl: the last line is torn and was left out",)


def test_an_empty_folder_is_a_watch_that_saw_nothing(tmp_path: Path) -> None:
    folder = RUN.write(tmp_path)
    (folder / "kubernetes").mkdir()
    cluster = read_cluster(folder)
    assert cluster
    assert (cluster.hpas, cluster.pods) == ({}, ())
