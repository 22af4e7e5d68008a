"""What the Prometheus of a synthetic run's platform would have stored: scrapes every so often, counters that agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.gather import Clock, gather
from analysis.ports import Series
from analysis.promql import ALERTS, FIXED
from analysis.results import read_record
from scenarios.target import PrometheusQueries
from tests.analysis.records import T0, Synthetic
from tests.fakes import FakeMetrics, samples

Instants = NDArray[np.float64]
BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.45, 0.9, 1.0, 2.5, 5.0, 10.0)
HPA = "horizontalpodautoscaler"
KUBERNETES = ("hpa_min", "hpa_max", "hpa_desired", "deployment_ready")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A platform that saw exactly what the client of a synthetic run saw; `t` in seconds after the load's start."""

    run: Synthetic
    scrape_every_s: float = 1.0
    scrape_offset_s: float = 0.4
    seen_ratio: float = 1.0  # of the client's requests, how many the platform counted
    already_counted: int = 5000  # by the counters, before the load
    holes: tuple[tuple[float, float], ...] = ()  # nothing was scraped from t to t
    depth: Callable[[Instants], Instants] = lambda t: np.where((t > 0) & (t < 25), 40.0, 0.0)
    desired: Callable[[Instants], Instants] = lambda t: np.where(t < 10, 8.0, 12.0)
    ready_after_s: float = 6.0
    max_replicas: int = 80
    wanted_more: Callable[[Instants], NDArray[np.bool_]] = lambda t: np.zeros(len(t), dtype=bool)
    has_reasons: bool = False
    firing: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # alert → from t to t

    @property
    def t(self) -> Instants:
        """When the scrapes were."""
        instants = np.arange(-60.0, self.run.loaded_s + self.run.watch_s, self.scrape_every_s) + self.scrape_offset_s
        inside = np.zeros(len(instants), dtype=bool)
        for start, end in self.holes:
            inside |= (instants > start) & (instants < end)
        kept: Instants = instants[~inside]
        return kept

    def metrics(self) -> FakeMetrics:
        """A Prometheus that holds all of it."""
        queries, namespace = PrometheusQueries(), {"namespace": "hotel"}
        counted, failed = self._counted()
        scaled = {**namespace, HPA: "core"}
        desired = self.desired(self.t)
        stored: dict[str, list[Series]] = {
            queries.up: [self._line({"job": "platform"}, np.ones(len(self.t)))],
            queries.requests: [self._line({}, counted)],
            queries.errors: [self._line({}, failed)] if failed.any() else [],
            queries.duration_buckets: self._buckets(counted),
            queries.backlog: [self._line({"queue": "bookings"}, self.depth(self.t))],
            self._named("hpa_min"): [self._line(scaled, np.full(len(self.t), 8.0))],
            self._named("hpa_max"): [self._line(scaled, np.full(len(self.t), float(self.max_replicas)))],
            self._named("hpa_desired"): [self._line(scaled, desired)],
            self._named("deployment_ready"): [
                self._line({**namespace, "deployment": "core"}, self.desired(self.t - self.ready_after_s))
            ],
            ALERTS: [self._alert(name, *span) for name, span in self.firing.items()],
            **self._limited(scaled),
        }
        return FakeMetrics(stored)

    def raw(self) -> dict[str, list[Series]]:
        """The same as stored samples, metric name → series: what a real Prometheus can be given."""
        queries, metrics = PrometheusQueries(), self.metrics().stored
        counted, failed = self._counted()
        gateway = {"service": "api-gateway", "namespace": "hotel"}

        def labelled(promql: str, labels: Mapping[str, str]) -> list[Series]:
            return [samples({**one.labels, **labels}, one.at_unix_s, one.values) for one in metrics[promql]]

        return {
            "up": labelled(queries.up, {}),
            "http_requests_total": [
                self._line({**gateway, "code": "200"}, counted - failed),
                self._line({**gateway, "code": "503"}, failed),
                self._line({**gateway, "service": "core", "code": "200"}, 7 * counted),
            ],
            "http_request_duration_seconds_bucket": labelled(queries.duration_buckets, gateway),
            "command_queue_depth": labelled(queries.backlog, {}),
            FIXED["hpa_condition"]: labelled(f'{FIXED["hpa_condition"]}{{status="true",namespace="hotel"}}', {}),
            **{FIXED[name]: labelled(self._named(name), {}) for name in KUBERNETES},
        }

    def pull(self, folder: Path) -> Path:
        """Write the run's evidence into its record."""
        long_after = Clock(now_unix_s=lambda: T0 + 86_400.0, sleep_s=lambda _s: None)
        gather(read_record(folder), self.metrics(), long_after)
        return folder

    def _counted(self) -> tuple[Instants, Instants]:
        loaded_s = np.clip(self.t, 0, self.run.loaded_s)
        counted = self.already_counted + self.run.rps * loaded_s * self.seen_ratio
        failed = np.zeros(len(self.t))
        for t, kinds in self.run.failed.items():
            failed += np.clip(self.t - t, 0, 1) * sum(n for kind, n in kinds.items() if kind.startswith("status 5"))
        return counted, failed

    def _buckets(self, counted: Instants) -> list[Series]:
        took_s = np.array(self.run.latency_ms(0)) / 1000
        shares = {f"{bound:g}": float((took_s <= bound).mean()) for bound in BOUNDS_S}
        return [self._line({"le": le}, counted * share) for le, share in {**shares, "+Inf": 1.0}.items()]

    def _limited(self, scaled: Mapping[str, str]) -> dict[str, list[Series]]:
        wanted = self.wanted_more(self.t).astype(float)
        condition = {**scaled, "condition": "ScalingLimited", "status": "true"}
        selector = f'{FIXED["hpa_condition"]}{{status="true",namespace="hotel"}}'
        if not self.has_reasons:
            return {selector: [self._line(condition, wanted)]}
        labels = {HPA: scaled[HPA], "condition": "ScalingLimited", "reason": "TooManyReplicas"}
        reasons = [samples(labels, T0 + self.t[wanted > 0], 1.0)] if wanted.any() else []
        benign = [self._line({**labels, "reason": "TooFewReplicas"}, np.ones(len(self.t)))]
        return {selector: [self._line(condition, np.ones(len(self.t)))], FIXED["hpa_reason"]: reasons + benign}

    def _alert(self, name: str, start: float, end: float) -> Series:
        # Prometheus marks the end of what no longer fires (NaN); without that it would be shown for five minutes.
        at = np.arange(start, end)
        stale = np.append(np.ones(len(at)), np.nan)
        return samples(
            {"__name__": "ALERTS", "alertname": name, "alertstate": "firing"}, T0 + np.append(at, end), stale
        )

    def _line(self, labels: Mapping[str, str], values: Instants) -> Series:
        return samples(labels, T0 + self.t, values)

    @staticmethod
    def _named(name: str) -> str:
        return f'{FIXED[name]}{{namespace="hotel"}}'
