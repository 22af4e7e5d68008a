"""The histograms of many deltas, added up in Rust: what Locust's tables and the metrics page take once a second."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest._engine import Histograms

LAG_TAG, SERVICE_TAG = "golive.lag", "golive.service"  # engine/DELTA.md
FAILED_ENDING, VISIBLE_ENDING, MISSING_ENDING = "!failed", "!visible", "!missing"
US_PER_S = 1_000_000

# 1-2-5 steps and what lies between where people set objectives.
DURATIONS_S = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75,
    1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0,
)  # fmt: skip
# From the grid that due requests are sent on (500 µs) down and up.
LAGS_S = (0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Times:
    """Many times under one tag. `by_bucket` has one entry more than the bounds: what lies above all of them."""

    tag: str
    count: int
    total_ms: float
    min_ms: float
    max_ms: float
    by_rounded_ms: Mapping[int, int]
    by_bucket: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The upper bounds of the buckets that times are counted in."""

    durations_us: list[int] = field(default_factory=lambda: in_us(DURATIONS_S))
    lags_us: list[int] = field(default_factory=lambda: in_us(LAGS_S))

    @classmethod
    def with_limits(cls, limits_ms: Iterable[float]) -> Bounds:
        """Buckets that end at these limits too, so that the share within a limit is exact."""
        return cls(durations_us=sorted({*in_us(DURATIONS_S), *(round(limit_ms * 1000) for limit_ms in limits_ms)}))

    def of(self, tag: str) -> list[int]:
        """The bounds for what is under this tag."""
        return self.lags_us if tag == LAG_TAG else self.durations_us


@dataclass(frozen=True, slots=True)
class TimesSum:
    """Everything that deltas (engine/DELTA.md) said of times since it was last taken."""

    bounds: Bounds
    _histograms: Histograms = field(default_factory=Histograms)

    def add(self, body: Mapping[str, Any]) -> None:
        """Add one delta's. Raises EngineError for a histogram that is none."""
        for entry in body.get("latency", ()):
            self._histograms.add(entry["tag"], entry["hdr"])

    def take(self) -> list[Times]:
        """What was added since the last call, by tag."""
        return [self._taken(tag) for tag in self._histograms.tags()]

    def _taken(self, tag: str) -> Times:
        count, total_ms, min_ms, max_ms, by_rounded_ms, by_bucket = self._histograms.take(
            tag, bounds_us=self.bounds.of(tag)
        )
        return Times(tag, count, total_ms, min_ms, max_ms, by_rounded_ms, tuple(by_bucket))


def in_us(seconds: Iterable[float]) -> list[int]:
    """Seconds as whole microseconds."""
    return [round(value_s * US_PER_S) for value_s in seconds]
