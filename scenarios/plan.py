"""A plan: one workload on one rate line at one target, with what must hold and when to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from scenarios.profile import Profile
from scenarios.search import Search
from scenarios.target import Target
from scenarios.transport import ConnectionPolicy, Tls
from scenarios.workload import Workload
from slo.objective import Objective
from slo.validity import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class AbortLimits:
    """When golive stops a run by itself."""

    failed_ratio: float = 0.5
    failed_for_s: float = 10.0
    unreachable_for_s: float = 10.0
    behind_for_s: float = 10.0  # the generator sends under half of what is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How the generator sends: none of it changes what is due."""

    # "closed" is no schedule: each connection asks again when it is answered. For benches of the engine, not for plans.
    arrivals: Literal["constant", "poisson", "closed"] = "constant"
    grid_us: int = 500  # due requests are sent together on this grid; 0 sends each at its instant
    # At most, per worker: 30,000 rps answered in 30 ms keep 900 busy (Little's law); a slower platform needs more, and
    # the schedule lag says so. Fewer keep a stall from opening thousands that then stay.
    connections: int = 1024
    engine_threads: int = 1
    connect_timeout_s: float = 3.0
    seed: int = 1
    addresses: Literal["all", "first"] = "all"  # of those that the target's name stands for; in turn
    traceparent: bool = False  # W3C Trace Context on each request: 70 bytes, and the platform's tracers obey the mark
    trace_sampled_ratio: float = 0.01  # of the traces, so many ask to be kept
    trust_ca_file: str = ""  # PEM; empty: the system's own roots
    tls: Tls = field(default_factory=Tls)  # a target's own goes before it
    connection: ConnectionPolicy = field(default_factory=ConnectionPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedLoad:
    """Somebody's own locustfile in place of workload and rate line: its users send when they have their answers."""

    locustfile: str
    users: int
    spawn_rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What we ask of the platform. The plan's name and values are the run's identity."""

    name: str
    workload: Workload
    profile: Profile
    target: Target
    objectives: tuple[Objective, ...]
    rate_to_prove_rps: float
    workers: int = 1
    sending: Sending = field(default_factory=Sending)
    abort: AbortLimits = field(default_factory=AbortLimits)
    thresholds: Thresholds = field(default_factory=Thresholds)
    watch_after_s: float = 60.0  # at most: ends early once the backlog is worked off
    watch_scale_down: bool = False  # keep watching the whole time for replicas to come down
    search: Search | None = None  # the profile is then how the limit that was found is proved
    closed: ClosedLoad | None = None  # the profile then only tells what is judged, and requests are known by the record

    @property
    def longest_s(self) -> float:
        """How long its load lasts at most."""
        if self.search is None:
            return self.profile.duration_s
        return self.search.longest_s + self.search.proofs_at_most * self.profile.duration_s

    @property
    def peak_rps(self) -> float:
        """The highest rate that it offers at any time."""
        peak_rps = self.profile.peak_rps
        return self.search.most_rps * peak_rps / self.rate_to_prove_rps if self.search else peak_rps

    @property
    def most_arrivals(self) -> float:
        """How many requests are due at most: a search may stay at its highest rate as long as it may last."""
        if self.search is None:
            return self.profile.arrivals_by(self.profile.duration_s)
        return self.peak_rps * self.longest_s

    @property
    def tls(self) -> Tls:
        """The target's own TLS, or else the plan's."""
        return self.target.tls or self.sending.tls
