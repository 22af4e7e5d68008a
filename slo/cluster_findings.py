"""What Kubernetes says against a measurement: workers taken away, a platform that changed, a watch gone blind. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from slo.validity import (
    UNCOUNTED_AT_MOST_S,
    Blindness,
    ClusterFacts,
    Finding,
    FindingKind,
    Measurement,
    PodEnd,
    PodFate,
    Thresholds,
    WorkerFacts,
    voids,
    warns,
)  # fmt: skip
from slo.words import instant

KINDS = {
    PodEnd.OOM_KILLED: FindingKind.WORKER_OOM_KILLED,
    PodEnd.EVICTED: FindingKind.WORKER_EVICTED,
    PodEnd.NODE_DRAINED: FindingKind.NODE_DRAINED,
    PodEnd.DELETED: FindingKind.WORKER_LOST,
    PodEnd.FAILED: FindingKind.WORKER_LOST,
}
REMEDIES = {
    PodEnd.OOM_KILLED: "Give the workers more memory (`workers.resources`), or more of them, then repeat the run.",
    PodEnd.EVICTED: "Give the workers a priority and nodes that are not under pressure, then repeat the run.",
    PodEnd.NODE_DRAINED: "Repeat the run when no node is being drained; a PodDisruptionBudget holds a drain off.",
    PodEnd.DELETED: "Leave golive's pods alone while it runs (`golive stop` ends a run); repeat it.",
    PodEnd.FAILED: "See the pod's log; repeat the run.",
}


def pod_taken_away(worker: WorkerFacts, fate: PodFate) -> Finding:
    """A worker whose pod ended before the load did: by whom, where, when, and what is not counted."""
    where = f" on node {fate.node}" if fate.node else ""
    return voids(
        KINDS[fate.end],
        f"Worker {worker.worker} (pod {fate.pod}{where}) was {fate.end.value} at {instant(fate.at_unix_s)}: "
        f"{fate.cause}. {what_is_counted(worker)} What it should have sent since is missing.",
        REMEDIES[fate.end],
        fate.at_unix_s,
    )


def what_is_counted(worker: WorkerFacts) -> str:
    """How much of what a lost worker sent is known, and how much at most is not."""
    if worker.drained:
        return f"It handed in its last counts (report {worker.last_seq}): what it sent is counted exactly."
    return (
        f"Everything up to its report {worker.last_seq} is counted exactly; what it sent after that, in "
        f"{UNCOUNTED_AT_MOST_S} s at most, is in nobody's counts."
    )


def cluster_findings(measurement: Measurement, thresholds: Thresholds) -> Iterator[Finding]:
    """Everything but the workers' own fates."""
    facts = measurement.cluster
    if facts is None:
        return
    if facts.blindness is not None and facts.blindness.lasted_s > thresholds.watch_blind_s:
        yield _blind(facts.blindness)
    if facts.unreadable:
        what = "Pieces of what the watch of Kubernetes wrote cannot be used: " + "; ".join(facts.unreadable) + "."
        yield warns(FindingKind.WATCH_BLIND, what, "Was the disk full, or golive killed?")
    yield from _changed(facts)
    for twice in facts.started_twice:
        yield warns(
            FindingKind.WORKER_TWICE,
            f"Kubernetes started worker {twice.worker} twice: pod {twice.pod} came at {instant(twice.at_unix_s)} and "
            f"was sent home, pod {twice.kept_pod} had the shard. The load was sent once.",
            "Nothing, when its node was lost for a while; else look at the Job's events.",
            twice.at_unix_s,
        )
    if facts.shared_nodes:
        what = "golive's workers ran on nodes that also run the platform: " + "; ".join(facts.shared_nodes) + "."
        yield warns(FindingKind.BESIDE_TARGET, what, "Give them nodes of their own (`antiAffinity`, `nodeSelector`).")


def _blind(blindness: Blindness) -> Finding:
    because = f" ({blindness.because})" if blindness.because else ""
    what = (
        f"Kubernetes told nothing about the autoscalers for {blindness.lasted_s:.0f} s of the hold, from "
        f"{instant(blindness.since_unix_s)}{because}."
    )
    if blindness.bridged:
        bridged = f"{what} Prometheus saw that stretch: its series are judged, which know no reasons."
        return warns(FindingKind.WATCH_BLIND, bridged, "Look after the API server.", blindness.since_unix_s)
    return voids(
        FindingKind.WATCH_BLIND, what, "Look after the API server, then repeat the run.", blindness.since_unix_s
    )


def _changed(facts: ClusterFacts) -> Iterator[Finding]:
    """A platform that became another one under load; what changed only after the load is told."""
    for change in facts.changes:
        in_load = change.at_unix_s <= facts.load_end_unix_s
        when = instant(change.at_unix_s) + ("" if in_load else ", after the load")
        what = f"The platform changed at {when}: {change.what}."
        remedy = "Deploy nothing while a run goes on; repeat it." if in_load else "Deploy when the watch has ended."
        yield (voids if in_load else warns)(FindingKind.FINGERPRINT_CHANGED, what, remedy, change.at_unix_s)
