"""Evidence in the words of the tests: a good run, and one thing changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slo.evidence import (
    AutoscalerSeries,
    BacklogSeries,
    ClientLoad,
    Condition,
    Evidence,
    JourneysSeen,
    LatencyTable,
    NotSeen,
    ServerLoad,
    SpikeSeen,
    Window,
)
from slo.scale_ups import ScaleUp
from slo.validity import Finding, FindingKind, Measurement, Severity, WorkerFacts

START = 1_790_000_000


def every_second(value: int, seconds: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.full(seconds, value, dtype=np.int64)


def table(latencies_ms: Sequence[float], counts: Sequence[int], seconds: int) -> LatencyTable:
    """So many requests of each latency in every second."""
    values = np.array([round(value * 1000) for value in latencies_ms], dtype=np.int64)
    return LatencyTable(values_us=values, counts=np.tile(np.array(counts, dtype=np.int64), (seconds, 1)))


def client(*, seconds: int = 60, rps: int = 100, failed: int = 0, unsent: int = 0, **changes: Any) -> ClientLoad:
    """A load of so many requests a second, all due sent but the unsent, all answered in 20 ms but the failed."""
    ok = rps - failed - unsent
    seen = ClientLoad(
        source="client",
        seconds_unix=np.arange(START, START + seconds, dtype=np.int64),
        due=every_second(rps, seconds),
        sent=every_second(rps - unsent, seconds),
        ok=every_second(ok, seconds),
        failed=every_second(failed, seconds),
        unavailable=every_second(failed, seconds),
        unsent=every_second(unsent, seconds),
        failed_by_kind={"status 503": failed * seconds} if failed else {},
        answered=table([20], [ok], seconds),
        failed_latency=table([1], [failed + unsent], seconds),
    )
    return replace(seen, **changes)


def server(*, requests: float = 6000, errors: float = 0, slow: float = 0) -> ServerLoad:
    """A histogram with bounds at the limits: `slow` requests above 900 ms, the rest below 25 ms."""
    fast = requests - slow
    buckets = ((0.025, fast), (0.45, fast), (0.9, fast), (10.0, requests), (float("inf"), requests))
    return ServerLoad(source="server", requests=requests, errors=errors, buckets=buckets)


def queue(depths: Sequence[float], *, name: str = "commands") -> BacklogSeries:
    """One sample a second, beginning 10 s before the hold."""
    at = np.arange(START - 10, START - 10 + len(depths), dtype=np.float64)
    return BacklogSeries(queue=name, source="prometheus", at_unix_s=at, depth=np.array(depths, dtype=np.float64))


def autoscaler(
    *, desired: Sequence[float] | None = None, ready: Sequence[float] | None = None, **changes: Any
) -> AutoscalerSeries:
    """One sample a second over a hold of 60 s; five replicas of ten, settled."""
    wanted = np.array(desired if desired is not None else [5] * 60, dtype=np.float64)
    series = AutoscalerSeries(
        name="core",
        source="prometheus",
        at_unix_s=np.arange(START, START + len(wanted), dtype=np.float64),
        desired=wanted,
        ready=np.array(ready, dtype=np.float64) if ready is not None else wanted,
        min_replicas=2,
        max_replicas=10,
        wanted_more=np.zeros(len(wanted), dtype=np.bool_),
    )
    return replace(series, **changes)


def condition(kind: str, *, holds: bool, reason: str, start: float, lasted_s: float) -> Condition:
    """A condition that stood from so many seconds into the hold for so long."""
    window = Window(start_unix_s=START + start, end_unix_s=START + start + lasted_s)
    return Condition(kind=kind, holds=holds, reason=reason, message="", window=window)


def scale_up(*, took_s: float) -> ScaleUp:
    """From two to five after a step of the load, decided within five seconds."""
    return ScaleUp(
        from_replicas=2, to_replicas=5, load_unix_s=START, by_step=True, since_unix_s=START, over_target_unix_s=None,
        desired_unix_s=START + 5.0, ready_unix_s=START + took_s,
    )  # fmt: skip


def evidence(*, seconds: int = 60, **changes: Any) -> Evidence:
    """A good run of 60 s; watched for a minute after it."""
    good = Evidence(
        hold=Window(start_unix_s=START, end_unix_s=START + seconds),
        load_end_unix_s=START + seconds,
        watched_until_unix_s=START + seconds + 60,
        rate_to_prove_rps=95,
        hold_complete=True,
        client=client(seconds=seconds),
        server=server(requests=100 * seconds),
        backlogs=(queue([0.0] * (seconds + 70)),),
        autoscalers=(autoscaler(desired=[5] * seconds),),
        spikes=(spike(),),
        journeys=(journeys(),),
    )
    return replace(good, **changes)


def journeys(flow: str = "booking", *, ended: int = 100, failed: int = 0) -> JourneysSeen:
    """So many journeys of a flow; those that failed did it at `pay`."""
    return JourneysSeen(flow=flow, ended=ended, failed=failed, failed_at={"pay": failed} if failed else {})


def spike(
    *,
    before_s: int = 30,
    lasts_s: int = 20,
    after_s: int = 60,
    rps: int = 100,
    slow: Iterable[int] = (),
    failing: Iterable[int] = (),
) -> SpikeSeen:
    """A spike at START, watched from before to after it, with so many requests a second throughout.

    slow, failing: seconds after the onset in which every request took a second, or failed at once.
    """
    at = np.arange(-before_s, lasts_s + after_s)
    is_slow, fails = np.isin(at, list(slow)), np.isin(at, list(failing))
    ok = np.where(fails, 0, rps).astype(np.int64)
    counts = np.stack([np.where(is_slow, 0, ok), np.where(is_slow, ok, 0)], axis=1)
    load = replace(client(seconds=len(at), rps=rps), seconds_unix=START + at, ok=ok, failed=rps - ok,
                   answered=LatencyTable(values_us=np.array([20_000, 1_000_000]), counts=counts),
                   failed_latency=LatencyTable(values_us=np.array([1000]), counts=(rps - ok)[:, None]))  # fmt: skip
    return SpikeSeen(
        window=Window(start_unix_s=START, end_unix_s=START + lasts_s), until_unix_s=START + lasts_s + after_s,
        before_rps=rps, peak_rps=10 * rps, after_rps=rps, client=load,
    )  # fmt: skip


def unseen() -> Evidence:
    """A run of which nothing is known."""
    nothing = NotSeen("nothing was recorded")
    return evidence(client=nothing, server=nothing, backlogs=nothing, autoscalers=nothing, spikes=nothing)


def measurement(**changes: Any) -> Measurement:
    """A measurement without a fault; 100 rps × 20 ms are 2 requests in flight."""
    facts = {
        "lag_p50_us": 250,
        "lag_p99_us": 500,
        "mean_in_flight": 2.0,
        "workers_planned": 1,
        "under_way_s": (120.0, 120.0),
    }
    return Measurement(**{**facts, "workers": (WorkerFacts(worker=0),), **changes})


def finding(kind: FindingKind, severity: Severity = Severity.VOIDS) -> Finding:
    return Finding(kind=kind, severity=severity, what=f"{kind.value} was found.", remedy="Repeat.")
