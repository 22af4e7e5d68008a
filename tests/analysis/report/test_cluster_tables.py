"""The report's pages about a cluster: what is told, in which words, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis.evidence import assemble
from analysis.report.page import Page, page_of
from analysis.report.tables import Table
from analysis.results import read_record
from analysis.timeline import timeline
from tests.analysis.cluster.clusters import MAXED_OUT, NO_METRICS, WELL, OwnPod, WatchedCluster
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.clusters import watched_cluster
from tests.analysis.report.runs import PASSED

RUN = Synthetic(warm_s=5, hold_s=60, watch_s=10)
OOM = {"container": "golive", "reason": "OOMKilled", "exit_code": 137, "at_unix_s": T0 + 20}


def page(folder: Path, cluster: WatchedCluster | None, *, prometheus: bool = False) -> Page:
    RUN.write(folder)
    if prometheus:
        Watched(run=RUN).pull(folder)
    if cluster:
        cluster.write(folder)
    record = read_record(folder)
    evidence, measurement = assemble(record)
    return page_of(record=record, evidence=evidence, measurement=measurement, verdict=PASSED, timeline=timeline(record))


def table(folder: Path, name: str, **watched: Any) -> Table:
    tables = page(folder, WatchedCluster(run=RUN, **watched)).cluster
    return next(one for one in tables if one.name == name)


def test_a_run_that_watched_no_cluster_says_nothing_of_one(tmp_path: Path) -> None:
    told = page(tmp_path, None, prometheus=True)
    assert told.cluster == ()
    assert "conditions" not in [panel.name for panel in told.panels]
    (ups,) = [one for one in told.tables if one.name == "scale-ups"]  # Prometheus knows them too
    assert ups.rows[0][:3] == ("core", "8 → 12", "0:00, the load's step")


def test_a_scale_up_is_told_leg_by_leg(tmp_path: Path) -> None:
    ups = table(tmp_path, "scale-ups")
    titles = [column.title for column in ups.columns]
    assert titles[3:] == ["Over target", "Decided", "Created", "On a node", "Ready", "In all", "The slowest leg"]
    assert ups.rows == (
        ("core", "2 → 4", "0:00, the load's step", "6 s", "4 s", "0.2 s", "0.3 s", "4.5 s", "15 s", "Over target, 6 s"),
    )


def test_stages_that_nobody_saw_have_no_column(tmp_path: Path) -> None:
    ups = table(tmp_path, "scale-ups", pods_seen=False, metric=lambda _t: None)
    assert [column.title for column in ups.columns][3:] == ["Decided", "Created", "Ready", "In all", "The slowest leg"]


def test_of_many_scale_ups_the_slowest_are_told(tmp_path: Path) -> None:
    ups = table(tmp_path, "scale-ups", desired=lambda t: 2 + max(int(t) // 2, 0), max_replicas=99)
    assert len(ups.rows) == 15
    assert "The slowest 15 of" in ups.note


def test_both_witnesses_stand_side_by_side(tmp_path: Path) -> None:
    capped = WatchedCluster(run=RUN, conditions=lambda t: MAXED_OUT if 20 <= t < 50 else WELL)
    (told,) = [one for one in page(tmp_path, capped, prometheus=True).cluster if one.name == "autoscalers"]
    assert [row[2] for row in told.rows] == ["Kubernetes", "Prometheus"]
    assert told.rows[0][3:] == ("4", "4", "4", "TooManyReplicas 30 s")
    assert told.rows[1][6] == "never"
    assert told.note == "Kubernetes is believed."


def test_without_prometheus_it_says_why(tmp_path: Path) -> None:
    told = table(tmp_path, "autoscalers")
    assert [row[2] for row in told.rows] == ["Kubernetes"]
    assert told.note.startswith("Prometheus: ")


def test_a_restart_is_told_once_with_its_end(tmp_path: Path) -> None:
    crashed = OwnPod(name="w-0", changes={20.0: {"restarts": 2, "ended": OOM}})
    told = table(tmp_path, "pods", own=(crashed,))
    assert told.rows == (("0:20", "14:13:40", "w-0", "node-1", "restarted 2 times: OOMKilled, exit code 137"),)


def test_pods_that_are_scaled_away_fared_well(tmp_path: Path) -> None:
    gone = {"at_unix_s": T0 + 30.0, "uid": "uid-core-0", "namespace": "hotel", "name": "core-0", "run": "",
            "owner": "Deployment/core", "created_unix_s": T0 - 99.0, "deletion_unix_s": T0 + 30.0}  # fmt: skip
    told = table(tmp_path, "pods", more_pods=(gone,))
    assert told.rows == ()
    assert told.empty.startswith("4 pods of the platform were seen, 2 new: none restarted")


def test_golives_own_pods_say_where_they_ran_and_what_became_of_them(tmp_path: Path) -> None:
    killed = OwnPod(name="golive-r1-worker-0-abc", changes={20.0: {"phase": "Failed", "ended": OOM}})
    done = OwnPod(name="golive-r1-worker-1-def", index=1, node="node-2", changes={60.0: {"phase": "Succeeded"}})
    told = table(tmp_path, "own-pods", own=(killed, done))
    assert [(row[0], row[1]) for row in told.rows] == [("worker-0-abc", "node-1"), ("worker-1-def", "node-2")]
    assert told.rows[0][-1].startswith("OOM-killed at 0:20")
    assert told.rows[1][-1] == "ended in order"


def test_events_of_one_owners_pods_stand_together(tmp_path: Path) -> None:
    def event(t: float, pod: str, count: int) -> dict[str, Any]:
        return {"at_unix_s": T0 + t, "event_unix_s": T0 + t, "about": f"Pod/{pod}", "type": "Warning",
                "reason": "Unhealthy", "message": f"probe of {pod} failed", "count": count}  # fmt: skip

    normal = {**event(5, "core-0", 1), "type": "Normal", "reason": "Pulled"}
    told = table(tmp_path, "cluster-events", events=(event(12, "core-0", 1), event(15, "core-1", 3), normal))
    assert told.rows == (("0:12 to 0:15", "Deployment/core", "Unhealthy", "2", "probe of core-1 failed"),)
    assert "all 3 events" in told.note


def test_what_was_not_seen_is_told_with_what_became_of_it(tmp_path: Path) -> None:
    blind = (("horizontalpodautoscalers", 20.0, 26.0, "429 too many requests", True),
             ("pods", 5.0, 9.0, "connection cut", False))  # fmt: skip
    told = table(tmp_path, "watch", blind=blind)
    assert told.rows == (
        ("0:05", "4 s", "pods", "hotel", "connection cut", "told afterwards"),
        ("0:20", "6 s", "HPAs", "hotel", "429 too many requests", "lost"),
        ("—", "—", "nodes", "the cluster", "403 forbidden", "never seen"),
    )


def test_the_fingerprint_is_short_and_says_whether_it_held(tmp_path: Path) -> None:
    steady = table(tmp_path / "a", "fingerprint")
    assert ("Deployment", "core", "template t1; core sha256:aaaaaaaaaaaa") in steady.rows
    assert steady.note == "It stayed the same over the whole watch. Not read: nodes: 403 forbidden."
    deployed = table(tmp_path / "b", "fingerprint", templates={12.0: "t2"})
    assert deployed.note.startswith("It changed: 0:12: Deployment core has a new pod template (t1 → t2).")


def test_what_held_autoscalers_back_has_a_lane_by_reason(tmp_path: Path) -> None:
    def conditions(t: float) -> Any:
        return MAXED_OUT if 10 <= t < 30 else NO_METRICS if 40 <= t < 50 else WELL

    told = page(tmp_path, WatchedCluster(run=RUN, conditions=conditions))
    (panel,) = [one for one in told.panels if one.name == "conditions"]
    assert {plot.label: plot.told for plot in panel.plots} == {
        "core: TooManyReplicas": "1 time, 20 s in all", "core: FailedGetPodsMetric": "1 time, 10 s in all",
    }  # fmt: skip
    (span,) = next(plot.spans for plot in panel.plots if plot.label == "core: TooManyReplicas")
    assert (round(span.start, 1), round(span.width, 1)) == (round(100 * 10 / 75, 1), round(100 * 20 / 75, 1))


def test_autoscalers_that_were_never_held_back_are_said_to_be_so(tmp_path: Path) -> None:
    (panel,) = [one for one in page(tmp_path, WatchedCluster(run=RUN)).panels if one.name == "conditions"]
    assert panel.note == "None: all could steer the whole time, and none wanted more than its maximum."


def test_a_watch_that_saw_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "kubernetes").mkdir(parents=True)
    told = {one.name: one for one in page(tmp_path, None).cluster}
    assert told["scale-ups"].empty.startswith("Not seen: ")
    assert told["own-pods"].rows == ()
    assert told["fingerprint"].empty == "Nothing of it could be read."


def test_a_run_without_a_load_has_its_cluster_all_the_same(tmp_path: Path) -> None:
    run = replace(RUN, stopped_at_s=0, killed=True)
    run.write(tmp_path)
    events = tmp_path / "events.jsonl"
    kept = [line for line in events.read_text().splitlines(keepends=True) if "load_started" not in line]
    events.write_text("".join(kept))
    watched_cluster(run).write(tmp_path)
    record = read_record(tmp_path)
    evidence, measurement = assemble(record)
    told = page_of(record=record, evidence=evidence, measurement=measurement, verdict=PASSED, timeline=timeline(record))
    assert "scale-ups" in [one.name for one in told.cluster]
