"""What must hold: the kinds of objectives golive can judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Resource = Literal["memory", "file_handles", "connections"]
RATE_TO_PROVE: Literal["rate-to-prove"] = "rate-to-prove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Of the requests due in each window of the hold, at least this rate was answered correctly in time."""

    name: str
    at_least_rps: float | Literal["rate-to-prove"] = RATE_TO_PROVE
    window_s: int = 10
    required: bool = True
    kind: Literal["throughput"] = "throughput"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """This share of the hold's requests is answered faster than the limit, from the intended start."""

    name: str
    quantile_ratio: float  # 0.95 for P95
    below_ms: float
    requests: tuple[str, ...] = ()  # kinds of requests, or flows with all their steps; (): all
    required: bool = True
    kind: Literal["latency"] = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRatio:
    """Of all requests sent in the hold, fewer than this share was not answered as expected."""

    name: str
    below_ratio: float
    requests: tuple[str, ...] = ()  # likewise
    required: bool = True
    kind: Literal["error_ratio"] = "error_ratio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Of all requests sent in the hold, at least this share met no 5xx, refusal, lost connection or time-out."""

    name: str
    at_least_ratio: float
    requests: tuple[str, ...] = ()  # likewise
    required: bool = True
    kind: Literal["availability"] = "availability"


@dataclass(frozen=True, slots=True, kw_only=True)
class Journeys:
    """Of each flow's journeys that ended in the hold, at least this share came to its end and did not fail before."""

    name: str
    at_least_ratio: float
    flows: tuple[str, ...] = ()  # (): all
    required: bool = True
    kind: Literal["journeys"] = "journeys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Accepted work does not pile up over the hold and is worked off soon after it."""

    name: str
    worked_off_within_s: float = 60.0
    required: bool = True
    kind: Literal["backlog"] = "backlog"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """At the end of the hold every autoscaler wants what is ready, below its maximum, for a while."""

    name: str
    settled_for_s: float = 60.0
    required: bool = True
    kind: Literal["scaling"] = "scaling"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """No process gains more than this share of its level an hour, nor so much that it reaches its limit too soon."""

    name: str
    of: Resource = "memory"
    below_ratio_per_hour: float = 0.1
    no_limit_within_h: float = 24.0  # as long as a process must live without anybody looking after it
    at_least_s: float = 600.0  # what is seen for less, warm-up aside, cannot tell a leak from a cache that fills
    required: bool = True
    kind: Literal["steady"] = "steady"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """After a spike of the rate both promises, latency and errors, soon hold again in every window, and stay held."""

    name: str
    quantile_ratio: float  # 0.95 for P95
    latency_below_ms: float
    errors_below_ratio: float
    within_s: float = 30.0
    since: Literal["spike-end", "spike-onset"] = "spike-end"  # from when `within_s` counts
    window_s: int = 5
    held_for_s: float = 20.0  # what holds for a shorter time at the end of the load has not been seen to stay
    required: bool = True
    kind: Literal["recovery"] = "recovery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The search found the highest rate that meets the other objectives, finely enough, and it is at least this."""

    name: str
    at_least_rps: float
    resolution_ratio: float = 0.05  # how wide the interval may be, as a share of its upper end
    required: bool = True
    kind: Literal["limit"] = "limit"


Objective = Throughput | Latency | ErrorRatio | Availability | Journeys | Backlog | Scaling | Steady | Recovery | Limit


def about(objective: Objective) -> tuple[str, ...]:
    """Of which requests or flows alone it speaks; (): of all, or of the platform."""
    return objective.requests if isinstance(objective, Latency | ErrorRatio | Availability) else ()
