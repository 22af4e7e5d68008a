"""A cluster on which much happened at once: for the report's pages."""

from __future__ import annotations

from typing import Any

from tests.analysis.cluster.clusters import MAXED_OUT, NO_METRICS, WELL, Condition, OwnPod, WatchedCluster
from tests.analysis.records import T0, Synthetic

HOSTILE = '</script><script>document.title="owned"</script><img src=x onerror=document.title="owned">|`${1}'
RELEASE = "golive-r1"
EVICTED = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting", "at_unix_s": T0 + 118}


def watched_cluster(run: Synthetic) -> WatchedCluster:
    """Three raises of the HPA, the last to its maximum; trouble with pods, metrics and the API server."""
    oom = {"ended": {"container": "golive", "reason": "OOMKilled", "exit_code": 137, "at_unix_s": T0 + 91}}
    own = (
        OwnPod(name=f"{RELEASE}-master-9hbx2", component="master", index=None, node="pool-a-1"),
        OwnPod(name=f"{RELEASE}-worker-0-m4n8d", node="pool-a-2"),
        OwnPod(name=f"{RELEASE}-worker-1-x7k2p", index=1, node="pool-a-3", changes={91.0: {"phase": "Failed"} | oom}),
    )
    return WatchedCluster(
        run=run, max_replicas=12, desired=_desired, conditions=_conditions, metric=_metric, ready_after_s=9.0,
        scheduled_after_s=3.0, templates={131.0: "t2"}, own=own, events=tuple(_events()), more_pods=tuple(_pods()),
        blind=(("pods", 60.0, 83.0, "429 too many requests", False),
               ("horizontalpodautoscalers", 100.0, 112.0, "unreachable", True)), unseen=((100, 112),),
    )  # fmt: skip


def _desired(t: float) -> int:
    return 4 if t < 8 else 8 if t < 24 else 12


def _conditions(t: float) -> tuple[Condition, ...]:
    if 40 <= t < 76:
        return MAXED_OUT
    return NO_METRICS if 90 <= t < 98 else WELL


def _metric(t: float) -> float | None:
    if 90 <= t < 98:
        return None
    return 88.0 if 4 <= t < 30 or 40 <= t < 76 else 47.0


def _pods() -> list[dict[str, Any]]:
    about = {"at_unix_s": T0 + 95.0, "namespace": "hotel", "owner": "Deployment/core", "node": "pool-b-1", "run": "",
             "phase": "Running", "ready": True, "ready_unix_s": T0 - 50, "created_unix_s": T0 - 60, "restarts": 0,
             "scheduled_unix_s": T0 - 59, "images": {}, "digests": {}}  # fmt: skip
    ended = {"container": "core", "reason": "OOMKilled", "exit_code": 137, "at_unix_s": T0 + 70}
    waiting = "0/6 nodes are available: 6 Insufficient cpu. preemption: 0/6 nodes are available."
    return [
        {**about, "uid": "u1", "name": "core-7d9c5b8f6-hk2wl", "at_unix_s": T0 - 10.0},
        {**about, "uid": "u1", "name": "core-7d9c5b8f6-hk2wl", "restarts": 2, "ended": ended},
        {**about, "uid": "u2", "name": "core-7d9c5b8f6-q8z4x", "disruption": EVICTED, "deletion_unix_s": T0 + 118},
        {**about, "uid": "u3", "name": "core-7d9c5b8f6-vt55j", "node": "", "created_unix_s": T0 + 24.0, "ready": False,
         "ready_unix_s": None, "scheduled_unix_s": None, "unschedulable": waiting, "phase": "Pending"},
    ]  # fmt: skip


def _events() -> list[dict[str, Any]]:
    def event(
        t: float, about: str, reason: str, message: str, *, count: int = 1, kind: str = "Warning"
    ) -> dict[str, Any]:
        return {"at_unix_s": T0 + t, "event_unix_s": T0 + t, "namespace": "hotel", "about": about, "type": kind,
                "reason": reason, "message": message, "count": count, "by": "controller"}  # fmt: skip

    no_metrics = "failed to get pods metric value: unable to get metric http_requests_per_second: no metrics returned"
    return [
        event(8, "HorizontalPodAutoscaler/core", "SuccessfulRescale", "New size: 8; reason: pods metric above target",
              kind="Normal"),
        event(24, "HorizontalPodAutoscaler/core", "SuccessfulRescale", "New size: 12; reason: pods metric above target",
              kind="Normal"),
        event(25, "Pod/core-7d9c5b8f6-vt55j", "FailedScheduling", "0/6 nodes are available: 6 Insufficient cpu.",
              count=7),
        event(72, "Pod/core-7d9c5b8f6-hk2wl", "BackOff", "Back-off restarting failed container core", count=3),
        event(91, "HorizontalPodAutoscaler/core", "FailedGetPodsMetric", no_metrics, count=4),
    ]  # fmt: skip


def hostile_cluster() -> WatchedCluster:
    """A cluster in which every name and word tries to become code."""
    wanting: tuple[Condition, ...] = (*WELL[:1], ("ScalingActive", False, HOSTILE))
    disruption = {"reason": HOSTILE, "message": HOSTILE, "at_unix_s": T0 + 9}
    pod = {"at_unix_s": T0 + 9.0, "uid": HOSTILE, "namespace": "hotel", "name": HOSTILE, "owner": HOSTILE,
           "node": HOSTILE, "phase": HOSTILE, "created_unix_s": T0, "disruption": disruption}  # fmt: skip
    event = {"at_unix_s": T0 + 9.0, "about": HOSTILE, "type": "Warning", "reason": HOSTILE, "message": HOSTILE}
    return WatchedCluster(
        run=Synthetic(), conditions=lambda _t: wanting, more_pods=(pod,), events=(event,), templates={9.0: HOSTILE},
        own=(OwnPod(name=HOSTILE, node=HOSTILE),), refused=(HOSTILE,), blind=((HOSTILE, 3, 9, HOSTILE, True),),
    )  # fmt: skip
