"""The metrics page: a run's tally in the words of Prometheus and OpenMetrics. The only importer of prometheus_client.

Names and labels: docs/observability.md. The run's id stands on `golive_run_info` alone, so that no series is new in
each run but that one; URLs stand nowhere.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from loadtest.delta_times import US_PER_S
from loadtest.metrics.tally import CHECKS, MOST_WORKERS, Distribution, Tally

KEPT_FOR_S = 0.5  # a page is made at most so often, whoever asks: making it holds the director up
WAIT_AT_MOST_S = 5.0  # for the last look of whoever has looked regularly
NEVER_S = float("-inf")
STATES = ("running", "lost", "drained")
COUNTERS = {
    "due": ("golive_offered_requests", "Requests that were due, as the workers report them."),
    "sent": ("golive_sent_requests", "Requests written to a socket, or failed trying."),
    "ok": ("golive_successful_requests", "Requests answered as expected."),
    "failed": ("golive_failed_requests", "Requests sent and not answered as expected."),
    "unsent": ("golive_unsent_requests", "Due requests that were not sent before their timeout."),
    "sent_bytes": ("golive_sent_bytes", "Bytes written."),
    "received_bytes": ("golive_received_bytes", "Bytes read."),
}
DURATIONS = {
    ("intended", "service"): (
        "golive_request_duration_seconds",
        "Time of successful requests: from the intended start by request, and from the writing over all (service).",
    ),
    ("failed",): (
        "golive_failed_request_duration_seconds",
        "Time of failed and unsent requests, from their intended start.",
    ),
    ("visible",): ("golive_visible_duration_seconds", "From an accepted request until its effect was visible."),
}


@dataclass(slots=True, kw_only=True, eq=False)
class RunCollector(Collector):
    """Turns a tally into metric families, each time it is asked."""

    tally: Tally
    planned_rps: Callable[[], float]  # what is due a second just now
    about: Mapping[str, str]  # the labels of golive_run_info

    def collect(self) -> Iterator[Metric]:
        """All families; those of one kind together."""
        yield InfoMetricFamily("golive_run", "The run that this master leads.", value=dict(self.about))
        yield from self._course()
        yield from self._counters()
        yield from self._times()
        yield from self._workers()
        yield from self._checks()

    def _course(self) -> Iterator[Metric]:
        phase = InfoMetricFamily("golive_phase", "The phase of the plan that the load is in.", labels=())
        if self.tally.phase:
            name, judged = self.tally.phase
            phase.add_metric((), {"phase": name, "judged": "true" if judged else "false"})
        yield phase
        planned_rps = self.planned_rps() if self.tally.phase is not None else 0.0
        yield _gauge("golive_planned_requests_per_second", "The plan's rate at this moment.", planned_rps)
        yield _gauge(
            "golive_load_start_time_seconds", "When the load began (unix time); 0 before.", self.tally.load_start_unix_s
        )

    def _counters(self) -> Iterator[Metric]:
        for what, (name, meaning) in COUNTERS.items():
            family = CounterMetricFamily(name, meaning, labels=("request",))
            for request, totals in self.tally.totals.items():
                family.add_metric((request,), totals[what])
            yield family
        failures = CounterMetricFamily("golive_failures", "Failed requests, by kind of failure.", labels=("kind",))
        for kind, count in self.tally.failures.items():
            failures.add_metric((kind,), count)
        yield failures
        yield CounterMetricFamily("golive_reports", "Reports of workers accepted.", value=self.tally.deltas)

    def _times(self) -> Iterator[Metric]:
        for kinds, (name, meaning) in DURATIONS.items():
            labels = ("request", "clock") if len(kinds) > 1 else ("request",)
            family = HistogramMetricFamily(name, meaning, labels=labels, unit="seconds")
            for (request, kind), times in self.tally.durations.items():
                if kind in kinds:
                    _add(family, (request, kind)[: len(labels)], times)
            yield family
        lag = HistogramMetricFamily(
            "golive_schedule_lag_seconds", "From due to written, of every request sent.", labels=(), unit="seconds"
        )
        _add(lag, (), self.tally.lag)
        yield lag

    def _workers(self) -> Iterator[Metric]:
        workers = self.tally.workers
        by_state = GaugeMetricFamily("golive_workers", "Workers by what has become of them.", labels=("state",))
        by_state.add_metric(("expected",), self.tally.expected_workers)
        for state in STATES:
            by_state.add_metric((state,), sum(seen.state == state for seen in workers.values()))
        yield by_state
        on_their_way = sum(seen.in_flight for seen in workers.values() if seen.state == "running")
        yield _gauge("golive_in_flight_requests", "Requests written and not yet answered.", on_their_way)
        cpu = CounterMetricFamily("golive_worker_cpu_seconds", "CPU of a worker's process.", labels=("worker",))
        memory = GaugeMetricFamily("golive_worker_memory_bytes", "Memory of a worker's process.", labels=("worker",))
        timer = GaugeMetricFamily(
            "golive_worker_timer_lateness_seconds", "P99 lateness of an idle timer beside a worker.", labels=("worker",)
        )
        offset = GaugeMetricFamily(
            "golive_worker_clock_offset_seconds", "A worker's clock against the master's.", labels=("worker",)
        )
        for worker in sorted(workers)[:MOST_WORKERS]:
            seen, label = workers[worker], (str(worker),)
            cpu.add_metric(label, seen.vitals.get("cpu_s", 0.0))
            memory.add_metric(label, seen.vitals.get("rss_bytes", 0.0))
            timer.add_metric(label, seen.control_timer_us / US_PER_S)
            offset.add_metric(label, seen.clock_offset_s)
        yield from (cpu, memory, timer, offset)

    def _checks(self) -> Iterator[Metric]:
        result = GaugeMetricFamily(
            "golive_check_result",
            "What the master has seen so far that may make the run prove less: 1 for the verdict that holds.",
            labels=("check", "verdict"),
        )
        for check in CHECKS:
            found = self.tally.found[check] > 0
            result.add_metric((check, "found"), float(found))
            result.add_metric((check, "clear"), float(not found))
        yield result
        events = CounterMetricFamily("golive_events", "Events written into the record.", labels=("event",))
        for event, count in self.tally.events.items():
            events.add_metric((event,), count)
        yield events


@dataclass(slots=True)
class MetricsPage:
    """The page in the format that the one who asks understands; made anew at most twice a second."""

    collector: RunCollector
    refresh: Callable[[], None]  # hands over what the tally has not been told yet
    _registry: CollectorRegistry = field(init=False)
    _kept: dict[str, tuple[float, bytes]] = field(default_factory=dict)
    _looks_s: tuple[float, float] = (NEVER_S, NEVER_S)  # the last two

    def __post_init__(self) -> None:
        """Join the run's figures with those of this process (CPU, memory, file handles)."""
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self.collector)
        ProcessCollector(registry=self._registry)

    def rendered(self, accept: str) -> tuple[str, bytes]:
        """Content type and text, by the request's Accept header: OpenMetrics, or Prometheus' own format."""
        self._looks_s = (self._looks_s[1], time.monotonic())
        encode, content_type = choose_encoder(accept)
        made_s, text = self._kept.get(content_type, (NEVER_S, b""))
        now_s = time.monotonic()
        if now_s - made_s > KEPT_FOR_S:
            self.refresh()
            text = encode(self._registry)
            if len(self._kept) > 4:  # a caller may invent escapings
                self._kept.clear()
            self._kept[content_type] = (now_s, text)
        return content_type, text

    def is_awaited(self, since_s: float) -> bool:
        """Whether someone who looked regularly has not looked since (monotonic), and may still be expected to."""
        before_s, last_s = self._looks_s
        if before_s == NEVER_S or last_s - KEPT_FOR_S > since_s:
            return False
        return time.monotonic() < since_s + min(1.5 * (last_s - before_s) + KEPT_FOR_S, WAIT_AT_MOST_S)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _add(family: HistogramMetricFamily, labels: Iterable[str], times: Distribution) -> None:
    buckets, so_far = [], 0
    for bound_us, count in zip([*times.bounds_us, None], times.counts, strict=True):
        so_far += count
        buckets.append(("+Inf" if bound_us is None else str(bound_us / US_PER_S), so_far))
    family.add_metric(list(labels), buckets, times.sum_ms / 1000)
