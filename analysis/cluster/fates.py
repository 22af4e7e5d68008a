"""What became of a pod that did not end in order: by whose doing, where and when, in words."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.cluster.record import ClusterRecord, Line, PodLife, instant
from slo.validity import PodEnd, PodFate

OOM_KILLED = "OOMKilled"
KILLED = {137: "killed (SIGKILL)", 143: "ended (SIGTERM)"}
# Reasons of the condition DisruptionTarget (Kubernetes documentation, "Pod disruption conditions").
BY_API = "EvictionByEvictionAPI"
DISRUPTIONS = {
    BY_API: "by the eviction API",
    "PreemptionByScheduler": "to make room for a pod of higher priority",
    "DeletionByTaintManager": "because its node has a taint that it does not bear",
    "DeletionByPodGC": "because its node is no more",
    "TerminationByKubelet": "by its node's kubelet",
}
BY_KUBELET = ("Evicted", "NodeShutdown", "Terminated", "NodeAffinity", "NodeLost")  # status.reason
JOB_ENDS = ("BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "FailedIndexes")
SEEN_LATE_S = 2.0  # a drain cordons first; we may see it a moment later


def fate_of(pod: PodLife, cluster: ClusterRecord) -> PodFate | None:
    """How a pod was taken away; None for one that lives, or ended in order."""
    told = [found for found in (_out_of_memory(pod), _disrupted(pod, cluster), _evicted(pod)) if found]
    # Of a pod that failed and was cleared away later the failure is what counts; one that is deleted fails by that.
    either = sorted((found for found in (_deleted(pod, cluster), _failed(pod)) if found), key=lambda found: found[1])
    for end, at_unix_s, cause in (told + either)[:1]:
        return PodFate(end=end, pod=pod.name, node=str(pod.last.get("node", "")), at_unix_s=at_unix_s, cause=cause)
    return None


Found = tuple[PodEnd, float, str]


def _out_of_memory(pod: PodLife) -> Found | None:
    for end in pod.endings:
        if end.get("reason") == OOM_KILLED:
            code = end.get("exit_code")
            words = f"its container {end.get('container')} used more memory than its limit, exit code {code}"
            return PodEnd.OOM_KILLED, _ended_at(end, pod), words
    return None


def _disrupted(pod: PodLife, cluster: ClusterRecord) -> Found | None:
    told: Line = pod.last.get("disruption") or {}
    if not told:
        return None
    reason = str(told.get("reason", ""))
    at_unix_s = float(told.get("at_unix_s") or pod.last["at_unix_s"])
    cause = f"{DISRUPTIONS.get(reason, 'by the control plane')} ({reason}{_said(told)})"
    if reason == BY_API and _was_cordoned(str(pod.last.get("node", "")), at_unix_s, cluster):
        return PodEnd.NODE_DRAINED, at_unix_s, cause
    return PodEnd.EVICTED, at_unix_s, cause


def _was_cordoned(node: str, at_unix_s: float, cluster: ClusterRecord) -> bool:
    """Whether it took no pods at that instant, to the grain of Kubernetes' instants."""
    lines = cluster.nodes.get(node, ())
    before = [line for line in lines if float(line["at_unix_s"]) < at_unix_s][-1:]
    about = [line for line in lines if at_unix_s <= float(line["at_unix_s"]) <= at_unix_s + SEEN_LATE_S]
    return any(line.get("cordoned") for line in (*before, *about))


def _evicted(pod: PodLife) -> Found | None:
    reason = str(pod.last.get("reason", ""))
    if reason not in BY_KUBELET:
        return None
    return PodEnd.EVICTED, _end_of(pod), f"by its node's kubelet ({reason}{_said(pod.last)})"


def _deleted(pod: PodLife, cluster: ClusterRecord) -> Found | None:
    deleted = next((at for line in (pod.last, pod.first) if (at := instant(line, "deletion_unix_s"))), None)
    if deleted is None:
        return None
    return PodEnd.DELETED, deleted, _ended_with_its_job(pod, cluster) or "by somebody; Kubernetes names no disruption"


def _ended_with_its_job(pod: PodLife, cluster: ClusterRecord) -> str:
    """Why the Job that it belongs to was given up, which takes all its pods away; "" when it was not."""
    for event in cluster.events:
        if event.get("about") == pod.owner and event.get("reason") in JOB_ENDS:
            return f"with its Job, which was given up ({event['reason']}{_said(event)})"
    return ""


def _failed(pod: PodLife) -> Found | None:
    bad = [end for end in pod.endings if end.get("exit_code")]
    if not bad:
        return None
    code = int(bad[0]["exit_code"])
    words = f"its container {bad[0].get('container')} {KILLED.get(code, 'ended')} with exit code {code}"
    return PodEnd.FAILED, _ended_at(bad[0], pod), words


def _ended_at(end: Line, pod: PodLife) -> float:
    return float(end.get("at_unix_s") or pod.last["at_unix_s"])


def _end_of(pod: PodLife) -> float:
    times = [float(end["at_unix_s"]) for end in pod.endings if end.get("at_unix_s")]
    return min(times, default=float(pod.last["at_unix_s"]))


def _said(told: Mapping[str, object]) -> str:
    message = str(told.get("message") or "").strip().rstrip(".")
    return f": {message}" if message else ""
