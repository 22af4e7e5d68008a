"""What golive's own terms mean, in a sentence each: findings, words of the report."""

from __future__ import annotations

from collections.abc import Mapping

from slo.validity import FindingKind

FINDINGS: Mapping[FindingKind, str] = {
    FindingKind.SCHEDULE_LAG: "golive sent requests late",
    FindingKind.UNSENT: "golive did not send all that was due",
    FindingKind.LOAD_SHORTFALL: "less load was driven than planned",
    FindingKind.WORKER_LOST: "a worker was lost",
    FindingKind.WORKER_LATE: "a worker began late",
    FindingKind.WORKER_STARVED: "a worker was starved of CPU",
    FindingKind.MASTER_LOST: "the workers lost their master",
    FindingKind.CLOCK_SKEW: "clocks disagreed",
    FindingKind.LITTLES_LAW: "rate, latency and requests in flight do not fit together",
    FindingKind.COUNT_MISMATCH: "golive and the platform counted differently",
    FindingKind.LOCAL_PORTS: "golive's machine ran out of ports",
    FindingKind.FILE_HANDLES: "golive's machine ran out of file handles",
    FindingKind.CONTENTION: "the machine was busy with something else",
    FindingKind.METRICS_GAP: "Prometheus has holes",
    FindingKind.RATE_CHANGED: "the rate was changed by hand",
    FindingKind.RECORD_GAP: "the record has gaps",
    FindingKind.CUT_SHORT: "the load ended before the plan did",
    FindingKind.WORKER_OOM_KILLED: "a worker ran out of memory and was killed",
    FindingKind.WORKER_EVICTED: "a worker was evicted from its node",
    FindingKind.NODE_DRAINED: "a worker's node was drained",
    FindingKind.WORKER_TWICE: "Kubernetes started a worker twice",
    FindingKind.FINGERPRINT_CHANGED: "the platform was changed in mid-run",
    FindingKind.WATCH_BLIND: "Kubernetes could not be watched",
    FindingKind.BESIDE_TARGET: "golive ran on the platform's own nodes or machine",
    FindingKind.ONE_ADDRESS: "one of the target's addresses had the load of all",
    FindingKind.ONE_REPLICA: "one replica had the load of all",
    FindingKind.CACHED_ANSWERS: "a cache answered before the platform",
    FindingKind.REPEATED: "many requests had to be sent a second time",
    FindingKind.GENERATOR_GROWS: "a process of golive's own kept growing",
    FindingKind.USERS_RAISED: "tasks of a locustfile's users ended by an exception",
    FindingKind.NAMES_FOLDED: "requests had too many names to be told apart",
    FindingKind.OWN_EXIT_CODE: "a locustfile's own check failed",
    FindingKind.CLOSED_MODEL: "a locustfile's users waited for their answers before they sent more",
}

UNSENT = "was due, but golive could not send it in time: about golive, not about the platform"

WORDS: Mapping[str, str] = {
    "P50, P95, P99": "Half, 95 % or 99 % of the requests were answered at least this fast.",
    "Latency": "From the instant a request was due to the end of its answer. A slow platform does not delay the "
    "next request, so waiting in line counts.",
    "Offered, answered": "Offered is what the plan had due, whatever the platform did. Answered is what came back as "
    "expected within its time-out.",
    "Hold": "The stretch that is judged. Load before it only warms the platform up.",
    "Spike, recovery": "A spike is where the plan's rate is above half of its peak, from the foot of the rise to the "
    "foot of the fall. Recovery is how long until the promises hold again in every window, and stay held.",
    "Interval": "Where the true value lies with 95 % confidence. If it spans the target, the run was too short.",
    "MET, MISSED, UNPROVEN": "Held; did not hold; could not be decided. UNPROVEN never counts as met.",
    "Void": "A finding about golive's own measurement that could have produced an outcome takes it away.",
    "Flow, step": "A user's journey and a request of it, told as FLOW/STEP. A step that fails ends its journey: those "
    "after it are never due.",
    "Accepted → visible": "From the answer that accepted a command to the first that shows its effect.",
    "Schedule lag": "How late golive itself sent a request. It is evidence about golive.",
    "Unsent": "Requests that were due and that golive could not send in time.",
    "Backlog": "Work the platform has accepted and not yet done.",
    "Autoscaler (HPA)": "Kubernetes' HorizontalPodAutoscaler: it asks for a number of replicas (desired); those that "
    "can serve are ready.",
    "Worker": "A process of golive that sends requests.",
    "Control timer": "A timer that does nothing else in the same process: its lateness is the machine's own noise.",
    "Throttled": "The share of time slices in which the operating system held the process back.",
}


def finding_title(kind: FindingKind) -> str:
    """What such a finding says, in plain words."""
    return FINDINGS.get(kind, kind.value)
