"""From a record with a watch in it to its verdict: what scaled, what stood in the way, what was done to the workers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence import assemble
from analysis.results import read_record
from slo.findings import find
from slo.judge import judge
from slo.objective import Scaling
from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Judgement, Outcome, Verdict
from tests.analysis.cluster.clusters import MAXED_OUT, NO_METRICS, WELL, OwnPod, WatchedCluster, seat_worker
from tests.analysis.platforms import Watched
from tests.analysis.records import GO_LIVE, T0, Synthetic

SETTLED = Scaling(name="scaling", settled_for_s=30.0)
RUN = Synthetic(warm_s=5, hold_s=90, watch_s=10, objectives=(*GO_LIVE[:-1], SETTLED))
OOM = {"ended": {"container": "golive", "reason": "OOMKilled", "exit_code": 137, "at_unix_s": T0 + 40}}


def verdict(folder: Path, run: Synthetic = RUN, **cluster: Any) -> Verdict:
    run.write(folder)
    platform = Watched(run=run, desired=lambda t: np.where(t < 10, 2.0, 4.0), depth=lambda t: 0 * t)
    platform.pull(folder)
    WatchedCluster(run=run, **cluster).write(folder)
    return judged(folder)


def judged(folder: Path) -> Verdict:
    record = read_record(folder)
    evidence, measurement = assemble(record)
    return judge(record.plan.objectives, evidence, find(measurement, evidence, record.plan.thresholds))


def scaling(one: Verdict) -> Judgement:
    return next(judgement for judgement in one.judgements if judgement.kind == "scaling")


def outcomes(one: Verdict) -> dict[str, Outcome]:
    return {judgement.objective: judgement.outcome for judgement in one.judgements}


def findings(one: Verdict, kind: FindingKind) -> list[Finding]:
    return [finding for finding in one.findings if finding.kind is kind]


def test_a_platform_that_scales_passes_with_the_time_each_scale_up_took(tmp_path: Path) -> None:
    one = verdict(tmp_path)
    assert set(outcomes(one).values()) == {Outcome.MET}
    assert "one scale-up, core 2 → 4, took 15 s from the load's step to ready" in scaling(one).because
    assert "6.0 s of it because the metric was slow to show the load" in scaling(one).because
    assert not one.findings


def test_an_hpa_that_is_capped_too_low_fails_by_name(tmp_path: Path) -> None:
    one = verdict(tmp_path, max_replicas=4, conditions=lambda t: MAXED_OUT if 20 <= t < 62 else WELL)
    assert scaling(one).outcome is Outcome.MISSED
    assert scaling(one).because.startswith(
        "core: at max 4 while wanting more (ScalingLimited: TooManyReplicas) for 42 s, from 14:13:40 UTC"
    )


def test_without_its_metrics_an_autoscaler_proves_nothing(tmp_path: Path) -> None:
    one = verdict(tmp_path, conditions=lambda t: NO_METRICS if t >= 30 else WELL)
    assert scaling(one).outcome is Outcome.UNPROVEN
    assert "core could not steer for 65 s of the hold" in scaling(one).because
    assert "(ScalingActive false: FailedGetPodsMetric)" in scaling(one).because


def test_a_hiccup_of_the_metrics_is_borne(tmp_path: Path) -> None:
    one = verdict(tmp_path, conditions=lambda t: NO_METRICS if 30 <= t < 50 else WELL)
    assert scaling(one).outcome is Outcome.MET


def test_a_watch_gone_blind_in_the_hold_proves_no_scaling(tmp_path: Path) -> None:
    gap = ("horizontalpodautoscalers", 30.0, 60.0, "unreachable", True)
    run = replace(RUN, objectives=(SETTLED,))
    run.write(tmp_path)
    WatchedCluster(run=run, unseen=((30, 60),), blind=(gap,)).write(tmp_path)
    one = judged(tmp_path)
    assert scaling(one).outcome is Outcome.UNPROVEN
    (finding,) = findings(one, FindingKind.WATCH_BLIND)
    assert "told nothing about the autoscalers for 30 s" in finding.what
    assert "(unreachable)" in finding.what


def test_a_deployment_in_mid_run_takes_everything_away(tmp_path: Path) -> None:
    one = verdict(tmp_path, templates={50.0: "t2"})
    assert set(outcomes(one).values()) == {Outcome.UNPROVEN}
    (finding,) = findings(one, FindingKind.FINGERPRINT_CHANGED)
    assert (finding.severity, finding.at_unix_s) == (Severity.VOIDS, T0 + 50)
    assert finding.what == ("The platform changed at 14:14:10 UTC: Deployment core has a new pod template (t1 → t2).")


def test_a_deployment_after_the_load_is_only_told(tmp_path: Path) -> None:
    one = verdict(tmp_path, templates={100.0: "t2"})
    assert [finding.severity for finding in findings(one, FindingKind.FINGERPRINT_CHANGED)] == [Severity.WARNS]
    assert set(outcomes(one).values()) == {Outcome.MET}


def test_an_oom_killed_worker_takes_away_what_a_lighter_load_could_have_met(tmp_path: Path) -> None:
    run = replace(RUN, workers=2, lost={1: 40})
    run.write(tmp_path)
    Watched(run=run, desired=lambda t: np.where(t < 10, 2.0, 4.0), depth=lambda t: 0 * t).pull(tmp_path)
    WatchedCluster(run=run, own=(OwnPod(name="w-1", index=1, changes={40.5: OOM}),)).write(tmp_path)
    seat_worker(tmp_path, 1, "w-1")
    one = judged(tmp_path)
    (finding,) = findings(one, FindingKind.WORKER_OOM_KILLED)
    assert not findings(one, FindingKind.WORKER_LOST)
    assert finding.what == (
        "Worker 1 (pod w-1 on node node-1) was OOM-killed at 14:14:00 UTC: its container golive used more memory than "
        "its limit, exit code 137. Everything up to its report 40 is counted exactly; what it sent after that, in 5 s "
        "at most, is in nobody's counts. What it should have sent since is missing."
    )
    assert outcomes(one)["p95"] is Outcome.UNPROVEN
    assert outcomes(one)["scaling"] is Outcome.UNPROVEN


def test_a_worker_that_goes_when_the_load_is_over_was_not_taken_away(tmp_path: Path) -> None:
    gone = {99.0: {"deletion_unix_s": T0 + 99.0}}
    RUN.write(tmp_path)
    WatchedCluster(run=RUN, own=(OwnPod(name="w-0", changes=gone),)).write(tmp_path)
    seat_worker(tmp_path, 0, "w-0")
    assert not findings(judged(tmp_path), FindingKind.WORKER_LOST)


def test_an_index_that_was_started_twice_is_told_and_takes_nothing_away(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    twice = {"at_unix_s": T0 - 2.0, "event": "worker_duplicate", "shard": 0, "id": "x", "pod": "w-0-b",
             "pod_uid": "u2", "kept_pod": "w-0-a", "kept_pod_uid": "u1"}  # fmt: skip
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write(json.dumps(twice) + "\n")
    Watched(run=RUN, desired=lambda t: np.where(t < 10, 2.0, 4.0), depth=lambda t: 0 * t).pull(tmp_path)
    WatchedCluster(run=RUN).write(tmp_path)
    one = judged(tmp_path)
    (finding,) = findings(one, FindingKind.WORKER_TWICE)
    assert finding.severity is Severity.WARNS
    assert "worker 0 twice: pod w-0-b (UID u2)" in finding.what
    assert "pod w-0-a (UID u1) had the shard" in finding.what
    assert set(outcomes(one).values()) == {Outcome.MET}


def test_workers_beside_the_platform_are_told(tmp_path: Path) -> None:
    one = verdict(tmp_path, own=(OwnPod(name="w-0"), OwnPod(name="w-1", index=1, node="node-2")))
    (finding,) = findings(one, FindingKind.BESIDE_TARGET)
    assert finding.severity is Severity.WARNS
    assert "node-1 (worker 0; 4 of the platform's pods)" in finding.what
    assert "node-2" not in finding.what


def test_a_master_that_was_evicted_is_told_by_its_cause(tmp_path: Path) -> None:
    run = replace(RUN, killed=True, stopped_at_s=40)
    evicted = {"disruption": {"reason": "EvictionByEvictionAPI", "message": "", "at_unix_s": T0 + 39}}
    run.write(tmp_path)
    master = OwnPod(name="golive-r1-master", component="master", index=None, changes={39.0: evicted})
    WatchedCluster(run=run, own=(master,)).write(tmp_path)
    one = judged(tmp_path)
    (finding,) = findings(one, FindingKind.MASTER_LOST)
    assert "its pod golive-r1-master on node node-1 was evicted at 14:13:59 UTC: by the eviction API" in finding.what
    assert Outcome.MET not in outcomes(one).values()


def test_damage_to_the_watchs_files_is_told_and_voids_no_counts(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    Watched(run=RUN, desired=lambda t: np.where(t < 10, 2.0, 4.0), depth=lambda t: 0 * t).pull(tmp_path)
    WatchedCluster(run=RUN).write(tmp_path)
    with (tmp_path / "kubernetes" / "events.jsonl").open("a") as file:
        file.write("half a li")
    one = judged(tmp_path)
    (finding,) = findings(one, FindingKind.WATCH_BLIND)
    assert "events.jsonl: the last line is torn" in finding.what
    assert set(outcomes(one).values()) == {Outcome.MET}
