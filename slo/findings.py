"""What speaks against a measurement: its facts held against the thresholds. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from slo.closed_findings import closed_findings
from slo.cluster_findings import cluster_findings, pod_taken_away, what_is_counted
from slo.evidence import ClientLoad, Evidence, NotSeen, ServerLoad
from slo.own_findings import own_findings
from slo.spread_findings import spread_findings
from slo.validity import (
    Finding,
    FindingKind,
    Measurement,
    Severity,
    Thresholds,
    WorkerFacts,
    voids,
    warns,
)  # fmt: skip
from slo.words import instant, number, percent

US_PER_MS = 1000.0


def find(measurement: Measurement, evidence: Evidence, thresholds: Thresholds) -> tuple[Finding, ...]:
    """Every finding, those that void first."""
    found = [
        *_sending(measurement, thresholds),
        *_load(evidence.client, thresholds),
        *_written_too_late(measurement, evidence.client, thresholds),
        *_own_machine(evidence.client),
        *(finding for worker in measurement.workers for finding in _worker(worker, thresholds)),
        *_accounts(measurement, evidence, thresholds),
        *_run(measurement, thresholds),
        *closed_findings(measurement, evidence.client, thresholds),
        *cluster_findings(measurement, thresholds),
        *spread_findings(measurement, evidence.client, thresholds),
        *own_findings(measurement, evidence.hold, thresholds.growth_seen_s),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.VOIDS))


def _sending(measurement: Measurement, thresholds: Thresholds) -> Iterator[Finding]:
    lag_ms, name = max(
        (measurement.lag_p99_us / US_PER_MS, "P99"),
        (measurement.lag_strictest_us / US_PER_MS, f"P{measurement.strictest_ratio * 100:g}"),
    )
    if lag_ms > thresholds.lag_p99_ms:
        yield voids(
            FindingKind.SCHEDULE_LAG,
            f"Requests were written late: schedule lag {name} {lag_ms:,.1f} ms ({thresholds.lag_p99_ms:g} ms allowed).",
            "Give the workers more CPU or connections, or spread the load over more of them.",
        )


def _load(client: ClientLoad | NotSeen, thresholds: Thresholds) -> Iterator[Finding]:
    if isinstance(client, NotSeen):
        return
    due, sent, unsent = int(client.due.sum()), int(client.sent.sum()), int(client.unsent.sum())
    if due and unsent / due > thresholds.unsent_ratio:
        yield voids(
            FindingKind.UNSENT,
            f"{number(unsent)} of {number(due)} due requests were never sent before their time-out.",
            "Raise `sending.connections`, or the number of workers.",
        )
    if sent and client.repeated / sent > thresholds.repeated_ratio:
        yield warns(
            FindingKind.REPEATED,
            f"{number(client.repeated)} of {number(sent)} requests went out a second time "
            f"({percent(client.repeated / sent)}): the platform ended kept connections under them, without an answer. "
            "A client that does not repeat sees them fail.",
            "Does the platform keep connections for longer than its clients and balancers, and announce their end?",
        )
    more = (client.due_by_workers or 0) - due
    if due and more / due > thresholds.rate_changed_ratio:
        yield voids(
            FindingKind.RATE_CHANGED,
            f"Workers had {number(due + more)} requests due in the hold; the plan has {number(due)}.",
            "Leave the load to the plan; does every worker send its own shard, and no other golive?",
        )
    missing = due - sent - unsent
    if due and missing / due > thresholds.shortfall_ratio:
        worst = int(np.argmax(client.due - client.sent - client.unsent))
        yield voids(
            FindingKind.LOAD_SHORTFALL,
            f"{number(missing)} of {number(due)} due requests are in nobody's counts ({percent(missing / due)}).",
            "A worker was lost or ended early; repeat the run.",
            float(client.seconds_unix[worst]),
        )


def _written_too_late(
    measurement: Measurement, client: ClientLoad | NotSeen, thresholds: Thresholds
) -> Iterator[Finding]:
    """A lag that grows over the hold keeps load from the platform until after it: that it bore the rest proves less."""
    due = 0 if isinstance(client, NotSeen) else int(client.due.sum())
    if due and measurement.written_after / due > thresholds.late_ratio:
        late = measurement.written_after
        yield voids(
            FindingKind.LOAD_SHORTFALL,
            f"{number(late)} of {number(due)} due requests were written only after the hold ({percent(late / due)}).",
            "Give the workers more CPU or connections, or spread the load over more of them.",
        )


def _own_machine(client: ClientLoad | NotSeen) -> Iterator[Finding]:
    if isinstance(client, NotSeen):
        return
    ports, handles = client.failed_by_kind.get("local ports", 0), client.failed_by_kind.get("file handles", 0)
    if ports:
        yield voids(
            FindingKind.LOCAL_PORTS,
            f"{number(ports)} requests found no free local port on the generator's machine.",
            "Widen net.ipv4.ip_local_port_range, or use more machines.",
        )
    if handles:
        yield voids(
            FindingKind.FILE_HANDLES,
            f"{number(handles)} requests found no free file handle in the generator's process.",
            "Raise the limit (ulimit -n) of the workers.",
        )


def _worker(worker: WorkerFacts, thresholds: Thresholds) -> Iterator[Finding]:
    if worker.fate is not None:
        yield pod_taken_away(worker, worker.fate)
    elif worker.lost_at_unix_s is not None:
        yield voids(
            FindingKind.WORKER_LOST,
            f"Worker {worker.worker} was lost at {instant(worker.lost_at_unix_s)}: {worker.lost_because}. "
            f"{what_is_counted(worker)}",
            "See its log in locust/; repeat the run.",
            worker.lost_at_unix_s,
        )
    if abs(worker.clock_offset_s) > thresholds.clock_skew_s:
        yield voids(
            FindingKind.CLOCK_SKEW,
            f"The clock of worker {worker.worker} is {worker.clock_offset_s:+.2f} s off the master's.",
            "Let NTP or chrony set the clocks; charts of several sources do not line up.",
        )
    if worker.throttled_ratio > thresholds.throttled_ratio:
        yield voids(
            FindingKind.WORKER_STARVED,
            f"Worker {worker.worker} was held back by its CPU quota in {percent(worker.throttled_ratio)} of periods.",
            "Give it whole cores (requests = limits), or use more workers.",
        )
    timer_ms = worker.control_timer_p99_us / US_PER_MS
    if timer_ms > thresholds.control_timer_p99_ms:
        yield voids(
            FindingKind.CONTENTION,
            f"On the machine of worker {worker.worker} an idle timer fired up to {timer_ms:,.1f} ms late (P99).",
            "Others use this machine; find a quieter one, or repeat the run.",
        )


def _accounts(measurement: Measurement, evidence: Evidence, thresholds: Thresholds) -> Iterator[Finding]:
    if isinstance(evidence.client, NotSeen):
        return
    yield from _littles_law(measurement, evidence.client, thresholds)
    if isinstance(evidence.server, ServerLoad):
        yield from _reconciled(evidence.client, evidence.server, thresholds, measurement.uncounted_at_most)


def _littles_law(measurement: Measurement, client: ClientLoad, thresholds: Thresholds) -> Iterator[Finding]:
    """L = λW over the hold (Little 1961): requests on their way by samples, against the time they were on their way.

    That time runs from the writing and is cut at the hold's ends, so neither a late schedule nor a platform whose queue
    grows over the hold disturbs it. Of the failed it is not known whether they were on their way: so there are bounds.
    """
    seconds = len(client.seconds_unix)
    if not seconds or measurement.under_way_s is None:
        return
    low, high = (under_way_s / seconds for under_way_s in measurement.under_way_s)
    margin = thresholds.littles_law_floor
    seen, share = measurement.mean_in_flight, thresholds.littles_law_ratio
    if low * (1 - share) - margin <= seen <= high * (1 + share) + margin:
        return
    expected = f"{low:,.1f}" if high - low < 0.1 else f"{low:,.1f} to {high:,.1f}"
    yield voids(
        FindingKind.LITTLES_LAW,
        f"On average {seen:,.1f} requests were on their way, but rate × time makes {expected}.",
        "The counts do not fit together; please report this with the run's folder.",
    )


def _reconciled(
    client: ClientLoad, server: ServerLoad, thresholds: Thresholds, uncounted_at_most: int
) -> Iterator[Finding]:
    """Client and server must agree on how many requests there were; over the whole load, where both are known.

    What a lost worker sent after its last report the platform may have counted, and golive has not; what was sent a
    second time it may have counted twice.
    """
    if server.load_requests is None or client.load_sent is None:
        return  # over the hold alone the two do not speak of the same requests: those under way at its edges differ
    low, high, seen = client.load_answered or client.load_sent, client.load_sent, server.load_requests
    margin = thresholds.count_mismatch_ratio * max(high, 1)
    if low - margin <= seen <= high + client.load_repeated + uncounted_at_most + margin:
        return
    yield voids(
        FindingKind.COUNT_MISMATCH,
        f"Over the load golive sent {number(high)} requests, the platform counted {number(seen)}.",
        f"{'Does something answer before it' if seen < low else 'Does somebody else load it'}, or does this Prometheus "
        "watch another target? See `queries` in targets.yaml.",
    )


def _run(measurement: Measurement, thresholds: Thresholds) -> Iterator[Finding]:
    for at_unix_s in measurement.worker_late_at_unix_s:
        what = f"A worker came at {instant(at_unix_s)}, when the load had been dealt, and was sent home."
        yield warns(FindingKind.WORKER_LATE, what, "Start all workers before the load begins.", at_unix_s)
    if measurement.master_lost:
        why = f": {measurement.master_lost_because}" if measurement.master_lost_because else ""
        what = f"The master was lost before it had all counts{why}."
        yield voids(FindingKind.MASTER_LOST, what, "Repeat the run.")
    for at_unix_s in measurement.rate_changed_at_unix_s:
        what = f"The rate was changed by hand at {instant(at_unix_s)}."
        yield voids(FindingKind.RATE_CHANGED, what, "Leave the load to the plan.", at_unix_s)
    for at_unix_s, by_s in measurement.clock_steps:
        what = f"The master's clock was set by {by_s:+.2f} s at {instant(at_unix_s)}, in mid-load."
        remedy = "Let NTP or chrony settle before a run: Prometheus' samples lie beside golive's seconds since then."
        yield voids(FindingKind.CLOCK_SKEW, what, remedy, at_unix_s)
    if measurement.record_gaps:
        what = "Pieces of the record are missing or unreadable: " + "; ".join(measurement.record_gaps) + "."
        yield voids(FindingKind.RECORD_GAP, what, "Repeat the run; was the disk full, or golive killed?")
    yield from _metrics_gaps(measurement, thresholds)
    if measurement.cut_short:
        what = f"The load ended before the plan did: {measurement.cut_short}."
        yield voids(FindingKind.CUT_SHORT, what, "Repeat the run to its end.")


def _metrics_gaps(measurement: Measurement, thresholds: Thresholds) -> Iterator[Finding]:
    """A hole in all that Prometheus was to see, or in what one exporter tells: that bears on what rests on it alone."""
    allowed_s = thresholds.metrics_gap_s
    if measurement.metrics_gap_s > allowed_s:
        what = f"Prometheus holds nothing for {measurement.metrics_gap_s:.0f} s of the hold."
        yield voids(FindingKind.METRICS_GAP, what, "Look after Prometheus, then repeat the run.")
        return
    for kind, gap_s in measurement.series_gaps_s.items():
        if gap_s > allowed_s:
            what = f"Prometheus holds nothing about {kind} for {gap_s:.0f} s of the hold."
            remedy = "Look after what exports these metrics, then repeat the run."
            yield replace(voids(FindingKind.METRICS_GAP, what, remedy), bears_on=(kind,))
