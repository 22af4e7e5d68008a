"""What speaks against the measurement itself, and which outcomes it could have produced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slo.objective import Resource
from slo.resource import ResourceSeries

# A worker without acknowledgements stops by itself after 4 s (its lease), and reports once a second: of one that is
# lost so many seconds at most are in nobody's counts.
UNCOUNTED_AT_MOST_S = 5


class FindingKind(StrEnum):
    """The ways a measurement can be wrong. Each has one reproducible cause."""

    SCHEDULE_LAG = "schedule-lag"
    UNSENT = "unsent-arrivals"
    LOAD_SHORTFALL = "load-shortfall"
    WORKER_LOST = "worker-lost"
    WORKER_LATE = "worker-late"
    WORKER_STARVED = "worker-starved"
    MASTER_LOST = "master-lost"
    CLOCK_SKEW = "clock-skew"
    LITTLES_LAW = "littles-law"
    COUNT_MISMATCH = "count-mismatch"
    LOCAL_PORTS = "local-ports-exhausted"
    FILE_HANDLES = "file-handles-exhausted"
    CONTENTION = "machine-contention"
    METRICS_GAP = "metrics-gap"
    RATE_CHANGED = "rate-changed"
    RECORD_GAP = "record-gap"
    CUT_SHORT = "cut-short"
    WORKER_OOM_KILLED = "worker-oom-killed"
    WORKER_EVICTED = "worker-evicted"
    NODE_DRAINED = "node-drained"
    WORKER_TWICE = "worker-started-twice"
    FINGERPRINT_CHANGED = "fingerprint-changed"
    WATCH_BLIND = "watch-blind"
    BESIDE_TARGET = "generator-beside-target"
    ONE_ADDRESS = "one-address"
    ONE_REPLICA = "one-replica"
    CACHED_ANSWERS = "cached-answers"
    REPEATED = "requests-repeated"
    CLOSED_MODEL = "closed-model"
    GENERATOR_GROWS = "generator-grows"
    USERS_RAISED = "users-raised"
    NAMES_FOLDED = "names-folded"
    OWN_EXIT_CODE = "own-exit-code"


class Severity(StrEnum):
    """Whether a finding takes outcomes away or is only told."""

    VOIDS = "voids"
    WARNS = "warns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found about the measurement, with the figures that show it and what to do."""

    kind: FindingKind
    severity: Severity
    what: str
    remedy: str
    at_unix_s: float | None = None  # when it began, where it has a beginning
    bears_on: tuple[str, ...] = ()  # kinds of objectives, where it is about other seconds than the hold's; (): all


def voids(kind: FindingKind, what: str, remedy: str, at_unix_s: float | None = None) -> Finding:
    """A finding that takes outcomes away."""
    return Finding(kind=kind, severity=Severity.VOIDS, what=what, remedy=remedy, at_unix_s=at_unix_s)


def warns(kind: FindingKind, what: str, remedy: str, at_unix_s: float | None = None) -> Finding:
    """A finding that is only told."""
    return Finding(kind=kind, severity=Severity.WARNS, what=what, remedy=remedy, at_unix_s=at_unix_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From where on a measurement figure counts against the run. A plan may set them."""

    # The limits judged are hundreds of ms; lag of 25 ms is 5 % of the tightest usual one (450 ms).
    lag_p99_ms: float = 25.0
    # One arrival in 10,000: a tenth of what availability of 99.9 % may lose.
    unsent_ratio: float = 0.0001
    # The load may lack a tenth of a percent: the same share of the reserve of 5 % that plans offer.
    shortfall_ratio: float = 0.001
    # Of what is written only after the hold, a fifth of that reserve: in 20 s that is a lag that has grown to 0.2 s.
    late_ratio: float = 0.01
    # The same the other way: what workers had due is known exactly, so this is a margin for nobody.
    rate_changed_ratio: float = 0.001
    # A scrape interval of 1 s is the finest grain that two sources are laid side by side with.
    clock_skew_s: float = 0.25
    # Samples every grid step know L to about a percent; 5 % leaves room for the ends of the hold.
    littles_law_ratio: float = 0.05
    littles_law_floor: float = 2.0  # requests: of a handful in flight nobody knows 5 %
    # Counters are read at scrapes; probes and other clients of the platform may add a little.
    count_mismatch_ratio: float = 0.01
    # One period in 20 throttled makes the P95 of what falls into it late.
    throttled_ratio: float = 0.05
    # The machine's own noise: as large as the lag that would count.
    control_timer_p99_ms: float = 25.0
    # Ten scrapes in a row: long enough to hide a restart.
    metrics_gap_s: float = 10.0
    # The same of Kubernetes' API, which is looked at every 2 s: five looks in a row, and a pod has come and gone.
    watch_blind_s: float = 10.0
    # 0 is an even spread, 1 all to one; golive's own is even to a request in each turn.
    uneven_addresses_ratio: float = 0.5
    # The same of replicas. Connections dealt by chance, and replicas that come in mid-hold, are uneven too.
    uneven_replicas_ratio: float = 0.8
    # What client and server must agree on: more answers than that from elsewhere, and P99 is not the platform's.
    cached_ratio: float = 0.01
    # Of a process of golive's own, its warm-up aside: the least that an objective asks of the platform's, too.
    growth_seen_s: float = 600.0
    # As many as may fail of an availability of 99.9 %: what a task left undone is in nobody's failures.
    raised_ratio: float = 0.001
    # The same of requests that had to be sent a second time: whoever does not repeat them sees them fail.
    repeated_ratio: float = 0.001


class PodEnd(StrEnum):
    """What takes a pod away before it is done."""

    OOM_KILLED = "OOM-killed"
    EVICTED = "evicted"
    NODE_DRAINED = "evicted from a node that was being drained"
    DELETED = "deleted"
    FAILED = "ended by itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFate:
    """What became of one of golive's own pods, by Kubernetes' word."""

    end: PodEnd
    pod: str
    node: str  # "" when it never had one
    at_unix_s: float
    cause: str  # in words: "exit code 137"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedTwice:
    """One index of the workers' Job that Kubernetes started in two pods."""

    worker: int
    pod: str  # the one that was sent home
    kept_pod: str
    at_unix_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """Something of the platform's fingerprint that became something else."""

    at_unix_s: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blindness:
    """The longest stretch of the hold in which Kubernetes told nothing about the autoscalers."""

    lasted_s: float
    since_unix_s: float
    because: str  # "503 server error"; "" when nobody knows
    bridged: bool  # Prometheus saw the stretch, and its series are the evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterFacts:
    """What Kubernetes says about the measuring: golive's own pods, and whether the platform stayed the same."""

    load_end_unix_s: float
    changes: tuple[PlatformChange, ...] = ()
    blindness: Blindness | None = None
    started_twice: tuple[StartedTwice, ...] = ()
    shared_nodes: tuple[str, ...] = ()  # nodes that workers and the platform share, in words
    master: PodFate | None = None  # when it was taken away before the load's end
    unreadable: tuple[str, ...] = ()  # pieces of what the watch wrote, and objects that it did not understand


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """What one worker says of itself over the hold, and what the master says of it."""

    worker: int  # its shard, from 0
    lost_at_unix_s: float | None = None
    lost_because: str = ""
    clock_offset_s: float = 0.0
    throttled_ratio: float = 0.0  # cgroup periods throttled / all periods in the hold
    control_timer_p99_us: int = 0  # lateness of an idle timer in the same process: the machine's own noise
    last_seq: int = 0
    drained: bool = False  # it handed in its last counts, however it ended
    fate: PodFate | None = None  # when its pod was taken away before the load's end


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one address or replica was given of the hold's requests."""

    name: str
    requests: float
    there_ratio: float = 1.0  # for how much of the hold it was there


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Facts about the measuring, from which findings follow. Nothing here is about the platform."""

    lag_p50_us: int
    lag_p99_us: int
    mean_in_flight: float  # sampled by the engine over the hold
    workers_planned: int
    workers: tuple[WorkerFacts, ...]
    # The lag at the strictest percentile that is promised: of one in a thousand, one in a hundred tells nothing.
    lag_strictest_us: int = 0
    strictest_ratio: float = 0.99
    metrics_gap_s: float = 0.0  # the longest hole in what Prometheus holds of the hold
    # The same of the series of one exporter that are the evidence of one kind of objective, where there are any.
    series_gaps_s: Mapping[str, float] = field(default_factory=dict)
    master_lost: bool = False
    record_gaps: tuple[str, ...] = field(default_factory=tuple)  # unreadable or missing pieces, in words
    rate_changed_at_unix_s: tuple[float, ...] = field(default_factory=tuple)
    clock_steps: tuple[tuple[float, float], ...] = ()  # when the master's wall clock was set, and by how much
    cut_short: str = ""  # why the load ended before the plan did; empty when it did not
    # What requests were under way inside the hold, by their times and added up: at least and at most.
    under_way_s: tuple[float, float] | None = None
    written_after: float = 0.0  # so many more of the hold's requests were written after it than before it of others
    worker_late_at_unix_s: tuple[float, ...] = field(default_factory=tuple)  # came after the load had been dealt
    master_lost_because: str = ""
    cluster: ClusterFacts | None = None  # None for a run that watched no cluster
    uncounted_at_most: int = 0  # requests that lost workers may have sent after their last report
    addresses: tuple[Given, ...] = ()  # all that the target's name stands for
    beside_target: tuple[str, ...] = ()  # addresses of the target on a worker's own machine
    closed_model: bool = False  # users send when they have their answers: nothing is due, and no schedule can be late
    raised: Mapping[str, int] = field(default_factory=dict)  # exceptions that ended users' tasks in the load, in words
    names_folded: int = 0  # requests of the load whose names were too many to be told apart
    own_exit_code: int = 0  # what a locustfile set in `environment.process_exit_code`
    replicas: tuple[Given, ...] = ()  # by the platform's own metrics, where they tell replicas apart
    own: Mapping[Resource, tuple[ResourceSeries, ...]] = field(default_factory=dict)  # golive's own processes
