"""What Kubernetes says about the measuring: the fates of golive's own pods, shared nodes, changes of the platform."""

from __future__ import annotations

from collections import Counter, defaultdict

from analysis.cluster.changes import changes_of
from analysis.cluster.fates import fate_of
from analysis.cluster.record import ClusterRecord, PodLife
from analysis.events import Event
from analysis.results import RunRecord
from slo.validity import Blindness, ClusterFacts, PodFate, StartedTwice

MASTER, WORKER = "master", "worker"


def facts_of(
    record: RunRecord, cluster: ClusterRecord, blindness: Blindness | None, load_end_unix_s: float
) -> ClusterFacts:
    """Everything but the workers' own fates."""
    masters = [pod for pod in cluster.own_pods() if pod.last.get("component") == MASTER]
    fates = [fate for pod in masters if (fate := fate_of(pod, cluster)) and fate.at_unix_s <= load_end_unix_s]
    return ClusterFacts(
        load_end_unix_s=load_end_unix_s,
        changes=changes_of(cluster),
        blindness=blindness,
        started_twice=tuple(_twice(event) for event in record.happened("worker_duplicate")),
        shared_nodes=_shared_nodes(cluster),
        master=fates[0] if fates else None,
        unreadable=(*cluster.unreadable, *_puzzles(cluster)),
    )


def _puzzles(cluster: ClusterRecord) -> tuple[str, ...]:
    return (f"objects of a shape that nobody expected: {cluster.puzzles}",) if cluster.puzzles else ()


def worker_fate(
    record: RunRecord, cluster: ClusterRecord | None, worker: int, load_end_unix_s: float
) -> PodFate | None:
    """How the pod that had this shard was taken away before the load's end; None when it was not."""
    pod = None if cluster is None else _pod_of(record, cluster, worker)
    if pod is None or cluster is None:
        return None
    fate = fate_of(pod, cluster)
    return fate if fate and fate.at_unix_s <= load_end_unix_s else None


def _pod_of(record: RunRecord, cluster: ClusterRecord, worker: int) -> PodLife | None:
    """By the UID that the worker gave when it came; an index may be in two pods."""
    uids = {
        str((event.fields.get("identity") or {}).get("pod_uid", ""))
        for event in record.happened("worker_ready")
        if event.fields.get("worker") == worker
    }
    return next((pod for pod in cluster.own_pods() if pod.uid in uids), None)


def _twice(event: Event) -> StartedTwice:
    told = event.fields
    return StartedTwice(
        worker=int(told.get("shard", -1)),
        pod=_pod_words(told.get("pod"), told.get("pod_uid")),
        kept_pod=_pod_words(told.get("kept_pod"), told.get("kept_pod_uid")),
        at_unix_s=event.at_unix_s,
    )


def _pod_words(name: object, uid: object) -> str:
    return f"{name or 'unknown'} (UID {uid or 'unknown'})"


def _shared_nodes(cluster: ClusterRecord) -> tuple[str, ...]:
    """Nodes on which both a worker and the platform ran, with how many pods of each."""
    workers: defaultdict[str, list[str]] = defaultdict(list)
    for pod in cluster.own_pods():
        if pod.last.get("component") == WORKER and pod.last.get("node"):
            workers[str(pod.last["node"])].append(str(pod.last.get("index")))
    platform = Counter(str(pod.last.get("node")) for pod in cluster.platform_pods() if pod.readiness)
    return tuple(
        f"{node} (worker {', '.join(sorted(indexes))}; {platform[node]} of the platform's pods)"
        for node, indexes in sorted(workers.items())
        if platform[node]
    )
