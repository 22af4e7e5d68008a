"""Where load may go: the entries of targets.yaml that people review."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from scenarios.transport import Tls


class TargetClass(StrEnum):
    """How careful golive must be with a target."""

    REHEARSAL = "rehearsal"
    STAGING = "staging"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteConsent:
    """What the target's owner lets golive write, and how much of it at most."""

    requests: tuple[str, ...] = ()  # names of workload requests; ("*",) for all
    at_most: int = 0  # written requests in one run


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusQueries:
    """The names under which the target's Prometheus knows the things golive judges.

    Each is PromQL; `$window` stands for the duration of the judged window.
    Empty text means: this target does not offer it, and what only it could prove is UNPROVEN.
    """

    requests: str = 'sum(http_requests_total{service="api-gateway"})'
    errors: str = 'sum(http_requests_total{service="api-gateway",code=~"5.."})'
    duration_buckets: str = 'sum by (le) (http_request_duration_seconds_bucket{service="api-gateway"})'
    backlog: str = "sum by (queue) (command_queue_depth)"
    up: str = 'up{job="platform"}'
    # One series a process, with the labels (pod and container, or instance) that tell them apart: what each may not
    # run out of, where that ends, and when the process began (docs/limit.md, also for a cluster).
    memory: str = 'process_resident_memory_bytes{job="platform"}'
    memory_limit: str = ""
    file_handles: str = 'process_open_fds{job="platform"}'
    file_handles_limit: str = 'process_max_fds{job="platform"}'
    connections: str = 'http_connections_open{job="platform"}'
    connections_limit: str = 'http_connections_max{job="platform"}'
    process_started: str = 'process_start_time_seconds{job="platform"}'
    # One series a replica, with the label (pod or instance) that `requests` tells them apart by: those that no request
    # reached have none there.
    replicas: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One platform that golive may drive."""

    name: str
    url: str
    target_class: TargetClass
    prometheus_url: str = ""  # empty: none; what only it could prove is UNPROVEN
    cluster_uid: str = ""
    namespace: str = ""  # which HPAs and Deployments are the target's; empty: all that Prometheus knows
    queries: PrometheusQueries = field(default_factory=PrometheusQueries)
    writes: WriteConsent = field(default_factory=WriteConsent)
    tls: Tls | None = None  # None: as the plan has it
