"""Deltas as a worker's engine drains them: counts and real HdrHistograms of ten requests, made once and sent often."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

REQUESTS = tuple(f"request-{number}" for number in range(10))
POOL = 12  # different seconds to draw from
SECOND = "SECOND"  # stands in a template for the second it will speak of
LOWEST_US, HIGHEST_US, DIGITS = 1, 60_000_000, 3


@dataclass(frozen=True, slots=True)
class Body:
    """One second of one worker, but for which second it is."""

    template: str
    sent: int

    def of(self, second: int) -> str:
        """The delta as JSON."""
        return self.template.replace(SECOND, str(second))


def pool(rps: int, seed: int) -> list[Body]:
    """Different seconds at this rate: log-normal times around 20 ms, one failure in a thousand."""
    chance = random.Random(seed)
    return [_body(rps, chance) for _ in range(POOL)]


def _body(rps: int, chance: random.Random) -> Body:
    shares = [rps // len(REQUESTS) + (number < rps % len(REQUESTS)) for number in range(len(REQUESTS))]
    counts, latency, everything = [], [], HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for name, due in zip(REQUESTS, shares, strict=True):
        failed = sum(chance.random() < 0.001 for _ in range(due))
        times = _histogram(due - failed, 10.0, 0.7, chance)
        everything.add(times)
        counts.append({
            "second": SECOND, "request": name, "due": due, "sent": due, "ok": due - failed,
            "failed": {"status 503": failed} if failed else {}, "unavailable": failed, "unsent": 0,
            "sent_bytes": 475 * due, "received_bytes": 378 * due,
        })  # fmt: skip
        latency.append(_entry(name, times))
        if failed:
            latency.append(_entry(f"{name}!failed", _histogram(failed, 10.0, 0.7, chance)))
    latency += [_entry("golive.service", everything), _entry("golive.lag", _histogram(rps, 5.5, 0.4, chance))]
    told = {
        "counts": counts,
        "latency": latency,
        "in_flight": [[SECOND, rps * 0.03]],
        "control_timer_us": [[SECOND, 70]],
    }
    return Body(json.dumps(told, separators=(",", ":")).replace(f'"{SECOND}"', SECOND), rps)


def _histogram(count: int, mu: float, sigma: float, chance: random.Random) -> HdrHistogram:
    histogram = HdrHistogram(LOWEST_US, HIGHEST_US, DIGITS)
    for _ in range(count):
        histogram.record_value(max(int(chance.lognormvariate(mu, sigma)), 1))
    return histogram


def _entry(tag: str, histogram: HdrHistogram) -> dict[str, object]:
    return {"second": SECOND, "tag": tag, "hdr": histogram.encode().decode()}
