"""What was seen, as counts and their source, never as percentages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from slo.level import JudgedLevel, LevelSays
from slo.objective import Resource
from slo.resource import ResourceSeries
from slo.scale_ups import ScaleUp

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Evidence that could not be had, and why. Proves nothing, in either direction."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of time on the golive master's clock."""

    start_unix_s: float
    end_unix_s: float

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.end_unix_s - self.start_unix_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTable:
    """How many requests took how long, second by second.

    values_us: (V,) ascending; the upper end of each histogram step, so a value is never understated.
    counts: (S, V); row s holds the requests *due* in second s of the window.
    """

    values_us: Counts
    counts: Counts

    @property
    def total(self) -> int:
        """How many requests are in the table."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLoad:
    """What golive itself sent and saw in the hold; arrays have one entry a second of the *intended* start.

    due comes from the plan alone; sent + unsent may fall short of it when a worker was lost.
    unavailable: 5xx, refused, reset or closed, TLS broken off, timed out (at any stage); a part of failed.
    answered: latency from the intended start of the requests answered as expected.
    failed_latency: the same of failed and unsent ones; the unanswered stand at their timeout.
    load_sent, load_answered: over the whole load, ramp included: what was sent, and what an answer began to arrive for.
        The platform must have counted at least the latter and at most the former and load_repeated. None: not known.
    load_repeated: of the whole load, what was sent a second time, so that the platform may have counted it twice.
    repeated: the same of the hold alone.
    cached: answers in the hold, right or wrong, whose headers show that a cache gave them.
    not_yet: right answers of polls that did not show the effect yet. For latency and availability they are requests
        like any other; in throughput and errors they count nothing, or a platform that loses what it accepted, and is
        asked for it over and over, would hide its failures behind the asking.
    due_beforehand: whether all that was due was known before the load: no step of a flow, no locustfile.
    due_by_workers: what the workers say was due in the hold: more than `due` was another rate. None: not known.
    """

    source: str
    seconds_unix: Counts  # (S,)
    due: Counts
    sent: Counts
    ok: Counts
    failed: Counts
    unavailable: Counts
    unsent: Counts
    failed_by_kind: Mapping[str, int]
    answered: LatencyTable
    failed_latency: LatencyTable
    load_sent: int | None = None
    load_answered: int | None = None
    load_repeated: int = 0
    repeated: int = 0
    cached: int = 0
    due_by_workers: int | None = None
    due_beforehand: bool = False
    not_yet: Counts = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @property
    def decided(self) -> Counts:
        """What was sent, each step of a journey once however often it asked."""
        return self.sent - self.not_yet

    @property
    def fulfilled(self) -> Counts:
        """What was answered as expected, each step of a journey once."""
        return self.ok - self.not_yet


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLoad:
    """What the platform's own metrics say of the hold.

    buckets: (upper bound in seconds, cumulative count) ascending, the last bound is infinity; () when there are none.
    load_requests: requests counted over the whole load, from before its start to after its end: what to reconcile with
        the client's counts. None when no scrape was seen after the load's end.
    """

    source: str
    requests: float
    errors: float
    buckets: tuple[tuple[float, float], ...]
    load_requests: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogSeries:
    """The depth of one queue of accepted work, over the hold and the watch after it."""

    queue: str
    source: str
    at_unix_s: NDArray[np.float64]
    depth: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How long one condition of an HPA stood as it was. reason and message are "" where nobody tells them."""

    kind: str  # AbleToScale, ScalingActive, ScalingLimited
    holds: bool
    reason: str
    message: str
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoscalerSeries:
    """What one HPA wanted and had, over the run. Arrays share `at_unix_s`."""

    name: str
    source: str
    at_unix_s: NDArray[np.float64]
    desired: NDArray[np.float64]
    ready: NDArray[np.float64]
    min_replicas: int
    max_replicas: int
    wanted_more: NDArray[np.bool_]  # ScalingLimited with TooManyReplicas, or the metric over target at max
    conditions: tuple[Condition, ...] = ()
    scale_ups: tuple[ScaleUp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeSeen:
    """One spike of the rate line as it was driven, on whole seconds of the intended start.

    window: from where the rate begins to rise to where it has come back. until_unix_s: as far as it was watched, to the
        end of the load or to the next spike; before the window's end when the load ended in the spike.
    client: from up to a minute before the spike to `until_unix_s`.
    """

    window: Window
    until_unix_s: float
    before_rps: float
    peak_rps: float
    after_rps: float
    client: ClientLoad | NotSeen


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysSeen:
    """How many journeys of a flow came to their end in the hold, and how many failed, by the step (only those > 0)."""

    flow: str
    ended: int
    failed: int
    failed_at: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSeen:
    """Where a search put the limit: met up to one rate, not met from another. None: nothing was found on that side.

    missed_rps: the lowest rate at which the platform itself gave way. It lies above the ceiling when what ended the
        search there was left undecided, or was golive's own doing.
    """

    met_rps: float | None
    ceiling_rps: float | None
    ceiling: LevelSays | None  # what stood in the way there
    levels: int
    ended_because: str
    missed_rps: float | None = None
    missed: LevelSays | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything a verdict on one run rests on."""

    hold: Window
    load_end_unix_s: float
    watched_until_unix_s: float
    rate_to_prove_rps: float
    hold_complete: bool  # false when the load ended before the plan's hold did
    client: ClientLoad | NotSeen
    server: ServerLoad | NotSeen
    backlogs: tuple[BacklogSeries, ...] | NotSeen
    autoscalers: tuple[AutoscalerSeries, ...] | NotSeen
    resources: Mapping[Resource, tuple[ResourceSeries, ...] | NotSeen] = field(default_factory=dict)  # of the platform
    spikes: tuple[SpikeSeen, ...] | NotSeen = NotSeen("nobody looked for a spike")
    limit: LimitSeen | NotSeen = NotSeen("no search was made")
    levels: tuple[JudgedLevel, ...] = ()  # of a search, in the order they were held
    journeys: tuple[JourneysSeen, ...] | NotSeen = NotSeen("the workload has no flow")
    # What golive saw of some requests alone, by the names that an objective has of them.
    parts: Mapping[tuple[str, ...], ClientLoad | NotSeen] = field(default_factory=dict)
