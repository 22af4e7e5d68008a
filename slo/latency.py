"""Latency: a quantile over the hold from the intended start, with its interval; the server's own view may veto."""

from __future__ import annotations

import math

import numpy as np

from slo.answer import Answer, unproven
from slo.evidence import ClientLoad, Evidence, NotSeen, ServerLoad
from slo.intervals import Interval, longer_s, quantile, quantile_interval
from slo.objective import Latency
from slo.sample_size import needed_for, too_few
from slo.verdict import Outcome
from slo.words import asked, duration, ms, number

US_PER_MS = 1000.0
# The platform's histogram is about its requests when it holds as many as its counter, within this factor: one of a part
# of them says another percentile, and a recording rule's rates, taken for counters, say nothing.
SAME_WITHIN = 2.0


def judge_latency(objective: Latency, evidence: Evidence) -> Answer:
    """The interval must lie below the limit. Client evidence decides; a server-side MISSED vetoes."""
    name = f"P{asked(objective.quantile_ratio * 100)}"
    target = f"{name} < {ms_limit(objective.below_ms)}"
    if isinstance(evidence.client, NotSeen):
        return unproven(target, evidence.client.because)
    answer = _by_client(objective, evidence.client, name=name, target=target)
    server, words = server_side(objective, evidence.server)
    if server is Outcome.MISSED and answer.outcome is not Outcome.MISSED:
        because = f"the server's own histogram says otherwise: {words}; client: {answer.because}"
        return _with(answer, Outcome.MISSED, because, words)
    return _with(answer, answer.outcome, answer.because, words)


def is_slow(objective: Latency, client: ClientLoad, *, waited_ms: float) -> bool:
    """Whether the quantile lies at the limit or above as it was seen, by however few requests.

    Too little for a verdict, and enough to wait a little longer for a platform that is coming back. waited_ms: for so
    long at least all were waited for; what is not answered by then is slow where the limit is below that.
    """
    values_us, counts = slow_failures_counted(client, objective.below_ms * US_PER_MS)
    slow = int(counts[:, values_us >= objective.below_ms * US_PER_MS].sum())
    unanswered = int((client.sent - client.ok - client.failed).sum()) if objective.below_ms <= waited_ms else 0
    total = int(counts.sum()) + unanswered
    return bool(total) and slow + unanswered > (1 - objective.quantile_ratio) * total


def ms_limit(limit_ms: float) -> str:
    """A limit as it was written."""
    return f"{asked(limit_ms)} ms"


def _with(answer: Answer, outcome: Outcome, because: str, server: str) -> Answer:
    return Answer(
        outcome=outcome, because=because, target=answer.target, measured=answer.measured, interval=answer.interval,
        source=answer.source, server_side=server,
    )  # fmt: skip


def _by_client(objective: Latency, client: ClientLoad, *, name: str, target: str) -> Answer:
    values, counts = slow_failures_counted(client, objective.below_ms * US_PER_MS)
    total = int(counts.sum())
    lacking = too_few(total, needed_for(objective.quantile_ratio), float(len(client.seconds_unix)), what=name)
    if lacking:
        return unproven(target, lacking, source=client.source)
    measured_ms = quantile(values, counts.sum(axis=0), objective.quantile_ratio) / US_PER_MS
    raw = quantile_interval(values, counts, objective.quantile_ratio)
    interval = Interval(low=min(raw.low / US_PER_MS, measured_ms), high=max(raw.high / US_PER_MS, measured_ms))
    within = int(counts[:, values < objective.below_ms * US_PER_MS].sum())
    words = f"{name} {ms(measured_ms)}, 95 % interval {ms(interval.low)} – {ms(interval.high)}; " + (
        f"{number(within)} of {number(total)} within {ms_limit(objective.below_ms)}, "
        f"{number(math.ceil(objective.quantile_ratio * total))} needed"
    )
    outcome = _outcome(interval, objective.below_ms)
    if outcome is Outcome.UNPROVEN:
        more_s = longer_s(
            interval=interval, measured=measured_ms, limit=objective.below_ms, held_s=float(len(client.seconds_unix))
        )
        words = f"the limit lies inside the interval; about {duration(more_s)} more of hold would decide. {words}"
    return Answer(
        outcome=outcome,
        because=words,
        target=target,
        measured=ms(measured_ms),
        interval=f"{ms(interval.low)} – {ms(interval.high)} (95 %)",
        source=client.source,
    )


def _outcome(interval: Interval, limit_ms: float) -> Outcome:
    if interval.high < limit_ms:
        return Outcome.MET
    return Outcome.MISSED if interval.low >= limit_ms else Outcome.UNPROVEN


def slow_failures_counted(
    client: ClientLoad, limit_us: float
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """The hold's latencies: the answered, and of the failed those not faster than the limit.

    A fast failure is left out: it must not help. A slow one, and one that was never answered (it stands at its
    time-out), counts as slow. Returns values_us (V,) ascending and counts (S, V).
    """
    slow = client.failed_latency.values_us >= limit_us
    if not slow.any():  # as a rule; and a night's table is not copied for nothing
        return client.answered.values_us.astype(np.float64), client.answered.counts
    failed_values, failed_counts = client.failed_latency.values_us[slow], client.failed_latency.counts[:, slow]
    values = np.concatenate([client.answered.values_us, failed_values]).astype(np.float64)
    counts = np.concatenate([client.answered.counts, failed_counts], axis=1)
    order = np.argsort(values, kind="stable")
    return values[order], counts[:, order]


def server_side(objective: Latency, server: ServerLoad | NotSeen) -> tuple[Outcome, str]:
    """What the platform's own histogram says: the bucket that holds the quantile, and where the limit lies to it."""
    if isinstance(server, NotSeen):
        return Outcome.UNPROVEN, server.because
    total = server.buckets[-1][1] if server.buckets else 0.0
    if total <= 0:
        return Outcome.UNPROVEN, "its histogram holds nothing of the hold"
    if not 1 / SAME_WITHIN <= total / max(server.requests, 1.0) <= SAME_WITHIN:
        counts = f"its histogram holds {number(total)} requests, its counter {number(server.requests)}"
        return Outcome.UNPROVEN, f"{counts}: these are not the same ones, or one of the two is no counter"
    limit_s = objective.below_ms / 1000
    low_s, high_s = _bracket(server.buckets, objective.quantile_ratio * total)
    where = (
        f"between {ms(low_s * 1000)} and {ms(high_s * 1000)}" if math.isfinite(high_s) else f"above {ms(low_s * 1000)}"
    )
    words = f"P{asked(objective.quantile_ratio * 100)} {where}"
    if high_s <= limit_s:
        return Outcome.MET, words
    if low_s >= limit_s:
        return Outcome.MISSED, words
    return Outcome.UNPROVEN, f"{words}; a bucket bound at {limit_s:g} s would decide"


def _bracket(buckets: tuple[tuple[float, float], ...], rank: float) -> tuple[float, float]:
    below_s = 0.0
    for bound_s, reached in buckets:
        if reached >= rank:
            return below_s, bound_s
        below_s = bound_s
    return below_s, math.inf
