"""How a pod was taken away, by what Kubernetes writes about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.cluster.fates import fate_of
from analysis.cluster.record import read_cluster
from slo.validity import PodEnd, PodFate
from tests.analysis.cluster.clusters import OwnPod, WatchedCluster
from tests.analysis.records import T0, Synthetic

Changes = dict[float, dict[str, Any]]
BY_API = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting", "at_unix_s": T0 + 12}
CORDONED = {"name": "node-1", "cordoned": True, "at_unix_s": T0 + 11}
OPEN = {"name": "node-1", "cordoned": False, "at_unix_s": T0 - 9}


def ended(reason: str, code: int, t: float) -> dict[str, Any]:
    return {"ended": {"container": "golive", "reason": reason, "exit_code": code, "at_unix_s": T0 + t}}


def fate(folder: Path, changes: Changes, **more: Any) -> PodFate | None:
    run = Synthetic()
    pod = OwnPod(name="w-0", changes=changes)
    WatchedCluster(run=run, own=(pod,), **more).write(run.write(folder))
    cluster = read_cluster(folder)
    assert cluster
    (own,) = cluster.own_pods()
    return fate_of(own, cluster)


@pytest.mark.parametrize(
    ("changes", "end", "t", "words"),
    [
        ({12: ended("OOMKilled", 137, 12)}, PodEnd.OOM_KILLED, 12, "exit code 137"),
        ({12: {"disruption": BY_API, "deletion_unix_s": T0 + 12}, 14: ended("Error", 143, 14)}, PodEnd.EVICTED, 12,
         "by the eviction API (EvictionByEvictionAPI: Eviction API: evicting)"),
        ({9: {"disruption": {"reason": "PreemptionByScheduler", "message": "", "at_unix_s": T0 + 9}}}, PodEnd.EVICTED,
         9, "higher priority"),
        ({9: {"disruption": {"reason": "DeletionByTaintManager", "message": "", "at_unix_s": T0 + 9}}}, PodEnd.EVICTED,
         9, "taint"),
        ({9: {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."} |
          ended("Error", 137, 8)}, PodEnd.EVICTED, 8, "low on resource: memory"),
        ({10: {"deletion_unix_s": T0 + 10}, 11: ended("Error", 137, 11)}, PodEnd.DELETED, 10, "by somebody"),
        ({10: {"phase": "Failed"} | ended("Error", 1, 10), 15: {"deletion_unix_s": T0 + 15}}, PodEnd.FAILED, 10,
         "exit code 1"),
    ],
)  # fmt: skip
def test_each_way_to_go_is_told_by_its_cause(
    changes: Changes, end: PodEnd, t: float, words: str, tmp_path: Path
) -> None:
    found = fate(tmp_path / "run", changes)
    assert found
    assert (found.end, found.pod, found.node) == (end, "w-0", "node-1")
    assert found.at_unix_s == pytest.approx(T0 + t, abs=1)
    assert words in found.cause


def test_an_eviction_from_a_cordoned_node_is_a_drain(tmp_path: Path) -> None:
    evicted: Changes = {12: {"disruption": BY_API, "deletion_unix_s": T0 + 12}}
    found = fate(tmp_path / "drained", evicted, nodes=(OPEN, CORDONED))
    assert found
    assert found.end is PodEnd.NODE_DRAINED
    found = fate(tmp_path / "evicted", evicted, nodes=(OPEN,))
    assert found
    assert found.end is PodEnd.EVICTED


def test_a_pod_that_goes_with_its_job_says_why_the_job_was_given_up(tmp_path: Path) -> None:
    gone: Changes = {12: {"deletion_unix_s": T0 + 12}}
    told = {"at_unix_s": T0 + 12.0, "about": "Job/golive-worker", "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit"}  # fmt: skip
    found = fate(tmp_path / "run", gone, events=(told,))
    assert found
    assert found.cause == (
        "with its Job, which was given up (BackoffLimitExceeded: Job has reached the specified backoff limit)"
    )


@pytest.mark.parametrize("changes", [{}, {20: {"phase": "Succeeded"} | ended("Completed", 0, 20)}])
def test_one_that_lives_or_ended_in_order_was_not_taken_away(changes: Changes, tmp_path: Path) -> None:
    assert fate(tmp_path / "run", changes) is None
