"""The facts about the measuring itself: lag, workers, clocks, in-flight requests, holes. Nothing about the platform."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.autoscalers import autoscalers_seen
from analysis.cluster.facts import facts_of, worker_fate
from analysis.cluster.record import ClusterRecord
from analysis.counters import Instants
from analysis.evidence_files import read_answer
from analysis.hold import Hold, due_per_second
from analysis.latency_log import FAILED, LAG
from analysis.own_resources import own_handles, own_memory
from analysis.results import RunRecord
from analysis.scrapes import longest_hole_s, unseen_s
from analysis.spread import beside_target, given_to_addresses, given_to_replicas
from analysis.under_way import US_IN_S, under_way_s, written_after
from scenarios.closed_plan import OTHER_NAMES
from slo.evidence import LatencyTable, NotSeen
from slo.objective import Latency
from slo.validity import UNCOUNTED_AT_MOST_S, Blindness, ClusterFacts, Measurement, WorkerFacts
from slo.words import instant

USUAL_RATIO = 0.99  # the strictest percentile that is usually promised
NOISY_SECONDS_RATIO = 0.9  # a worker's machine is as noisy as nine seconds in ten are at most


def measurement_of(
    record: RunRecord, hold: Hold, cluster: ClusterRecord | None = None, blindness: Blindness | None = None
) -> Measurement:
    """Everything the findings need, from the record alone. cluster: what Kubernetes told, where it was watched."""
    strictest = max([USUAL_RATIO, *(one.quantile_ratio for one in record.plan.objectives if isinstance(one, Latency))])
    lags = record.latency.spread([LAG], hold.seconds)
    lag_p50_us, lag_p99_us, lag_strictest_us = quantiles_us(lags, (0.5, USUAL_RATIO, strictest))
    vitals = record.workers[record.workers["second"].isin(hold.seconds)]
    facts = None if cluster is None else facts_of(record, cluster, blindness, hold.load_end_unix_s)
    return Measurement(
        lag_p50_us=lag_p50_us,
        lag_p99_us=lag_p99_us,
        lag_strictest_us=lag_strictest_us,
        strictest_ratio=strictest,
        mean_in_flight=_mean_in_flight(vitals, len(hold.seconds)),
        under_way_s=None if record.plan.closed else under_way_s(record, hold.window, lag_p99_us / US_IN_S),
        written_after=0.0 if record.plan.closed else written_after(record, hold.window),
        closed_model=record.plan.closed is not None,
        workers_planned=record.plan.workers,
        workers=tuple(
            replace(_worker(record, vitals, worker), fate=worker_fate(record, cluster, worker, hold.load_end_unix_s))
            for worker in range(record.plan.workers)
        ),
        metrics_gap_s=longest_hole_s(record.folder / "evidence", hold.window) if hold.seconds else 0.0,
        series_gaps_s=_series_gaps_s(record, hold, cluster) if hold.seconds else {},
        master_lost=bool(record.happened("load_started")) and not record.happened("load_ended"),
        master_lost_because=_master_lost_because(record, facts),
        record_gaps=(*record.gaps, *_disagreements(record), *_never_arrived(record)),
        rate_changed_at_unix_s=tuple(event.at_unix_s for event in record.happened("rate_changed")),
        cut_short=_cut_short(record, hold, facts),
        clock_steps=tuple((one.at_unix_s, float(one.fields["by_s"])) for one in record.happened("clock_stepped")),
        worker_late_at_unix_s=tuple(event.at_unix_s for event in record.happened("worker_late")),
        cluster=facts,
        uncounted_at_most=_uncounted_at_most(record),
        addresses=given_to_addresses(record, hold),
        beside_target=beside_target(record),
        replicas=given_to_replicas(record, hold),
        raised=_raised(record),
        names_folded=_names_folded(record),
        own_exit_code=max((int(event.fields["code"]) for event in record.happened("locustfile_exit")), default=0),
        own={"memory": own_memory(record), "file_handles": own_handles(record)},
    )


def _series_gaps_s(record: RunRecord, hold: Hold, cluster: ClusterRecord | None) -> dict[str, float]:
    """How long nothing was seen of the queues, and of the autoscalers where Prometheus is believed of them."""
    backlogs, seen = read_answer(record.folder / "evidence", "backlog"), autoscalers_seen(record, cluster)
    told: dict[str, Sequence[Instants]] = {}
    if not isinstance(backlogs, NotSeen):
        told["backlog"] = [one.at_unix_s for one in backlogs.series]
    if seen.believed is seen.by_prometheus and not isinstance(seen.believed, NotSeen):
        told["scaling"] = [one.at_unix_s for one in seen.believed]
    return {kind: unseen_s(series, hold.window) for kind, series in told.items() if series}


def _raised(record: RunRecord) -> dict[str, int]:
    """Exceptions of a locustfile's tasks over the whole load, by what and where, with the words of the first."""
    said: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for event in record.happened("users_raised"):
        what = str(event.fields["what"])
        said.setdefault(what, str(event.fields.get("said") or ""))
        counts[what] += int(event.fields["count"])
    return {f"{what}: {said[what]}" if said[what] else what: count for what, count in counts.items()}


def _names_folded(record: RunRecord) -> int:
    counts = record.counts
    return int(counts.loc[counts["request"] == OTHER_NAMES, "sent"].sum()) if record.plan.closed else 0


def _master_lost_because(record: RunRecord, facts: ClusterFacts | None) -> str:
    """By the word of whoever collected the record, and by Kubernetes'."""
    told = [str(event.fields.get("because") or "") for event in record.happened("master_pod_lost")][-1:]
    return "; ".join(filter(None, [*told, _taken_away(facts).removeprefix("; ")]))


def _taken_away(facts: ClusterFacts | None) -> str:
    """What Kubernetes did to the master's pod before the load's end; "" for nothing."""
    if facts is None or facts.master is None:
        return ""
    fate = facts.master
    where = f" on node {fate.node}" if fate.node else ""
    return f"; its pod {fate.pod}{where} was {fate.end.value} at {instant(fate.at_unix_s)}: {fate.cause}"


def quantiles_us(table: LatencyTable, ratios: tuple[float, ...]) -> tuple[int, ...]:
    """The smallest value that at least such a share of the table's requests does not exceed; 0 for an empty table."""
    reached = np.cumsum(table.counts.sum(axis=0))
    if not len(reached) or not reached[-1]:
        return (0,) * len(ratios)
    ranks = [max(1, int(np.ceil(ratio * reached[-1]))) for ratio in ratios]
    return tuple(int(table.values_us[np.searchsorted(reached, rank)]) for rank in ranks)


def _mean_in_flight(vitals: pd.DataFrame, seconds: int) -> float:
    """Requests under way, added up over the workers, on average over the hold: the L of Little's law.

    A second that a lost worker did not report counts as none in flight, as its requests do not count either. Two lines
    of one second and worker come from two deltas; only one of them knows the figure.
    """
    if not seconds:
        return 0.0
    return float(vitals.groupby(["second", "worker"])["in_flight"].max().sum() / seconds)


def _worker(record: RunRecord, vitals: pd.DataFrame, worker: int) -> WorkerFacts:
    own = vitals[vitals["worker"] == worker].sort_values("second")
    lost_at_unix_s, lost_because = _lost(record, worker)
    return WorkerFacts(
        worker=worker,
        lost_at_unix_s=lost_at_unix_s,
        lost_because=lost_because,
        clock_offset_s=_clock_offset_s(record, worker),
        throttled_ratio=_throttled_ratio(own),
        control_timer_p99_us=_control_timer_p99_us(own),
        drained=_drained(record, worker),
        last_seq=max(record.counts.loc[record.counts["worker"] == worker, "seq"].tolist(), default=0),
    )


def _lost(record: RunRecord, worker: int) -> tuple[float | None, str]:
    """Since when a worker is lost, and why; a silence that it came back from is no loss."""
    lost: tuple[float | None, str] = (None, "")
    for event in record.events:
        if event.fields.get("worker") != worker:
            continue
        if event.kind == "worker_lost" and lost[0] is None:
            since_unix_s = float(event.fields.get("last_delta_unix_s") or event.at_unix_s)
            lost = (since_unix_s, str(event.fields.get("because", "")))
        elif event.kind == "worker_returned":
            lost = (None, "")
    return lost


def _clock_offset_s(record: RunRecord, worker: int) -> float:
    offsets = [
        float(event.fields.get("clock_offset_s") or 0.0)
        for event in record.happened("worker_ready")
        if event.fields.get("worker") == worker
    ]
    return offsets[-1] if offsets else 0.0


def _throttled_ratio(own: pd.DataFrame) -> float:
    """Throttled periods of all periods of the control group, over the hold; 0 without a quota."""
    if own.empty:
        return 0.0
    first, last = own.iloc[0], own.iloc[-1]
    periods = float(last["periods"] - first["periods"])
    return float(last["throttled_periods"] - first["throttled_periods"]) / periods if periods > 0 else 0.0


def _control_timer_p99_us(own: pd.DataFrame) -> int:
    """One figure for the hold from the P99 of each of its seconds: nine seconds in ten were at most so noisy.

    A machine that is short of time shows it in most seconds; a single hiccup is in the lag already.
    """
    seconds = own.groupby("second")["control_timer_us"].max()
    return 0 if seconds.empty else int(np.quantile(seconds.to_numpy(), NOISY_SECONDS_RATIO, method="inverted_cdf"))


def _disagreements(record: RunRecord) -> tuple[str, ...]:
    """Where the two halves of the record, counts and histograms, do not tell the same number of requests."""
    names = [request.name for request in record.plan.workload.kinds]
    counted = record.counts[["ok", "failed", "unsent", "untimed"]].sum()
    pairs = {
        "answered requests": (record.latency.total(names), int(counted["ok"] - counted["untimed"])),
        "failed and unsent requests": (
            record.latency.total([name + FAILED for name in names]),
            int(counted["failed"] + counted["unsent"]),
        ),
    }
    found = [
        f"load.hlog holds {logged:,} {what}, seconds.jsonl {count:,}"
        for what, (logged, count) in pairs.items()
        if logged != count
    ]
    _, odd = due_per_second(record)
    return (*found, *([odd] if odd else ()))


def _never_arrived(record: RunRecord) -> tuple[str, ...]:
    """Workers whose last counts are not in the record, and why; a killed golive never learnt of the rest.

    Of a worker that was lost that is known already, with how much at most is missing: it is no damage to the record.
    """
    undrained = record.happened("worker_undrained")
    told: dict[object, str] = {event.fields.get("worker"): str(event.fields.get("because")) for event in undrained}
    if record.header.ended == "running" and record.happened("load_ended"):
        drained = {event.fields.get("worker") for event in record.happened("worker_drained")}
        for worker in set(range(record.plan.workers)) - drained - told.keys():
            told[worker] = "golive was killed"
    lost = {worker for worker in range(record.plan.workers) if _lost(record, worker)[0] is not None}
    return tuple(
        f"the last counts of worker {worker} never arrived: {because}"
        for worker, because in told.items()
        if worker not in lost
    )


def _drained(record: RunRecord, worker: int) -> bool:
    return any(event.fields.get("worker") == worker for event in record.happened("worker_drained"))


def _uncounted_at_most(record: RunRecord) -> int:
    """How many requests lost workers may have sent after their last report: what they had due until they stopped."""
    due, _ = due_per_second(record)
    began_unix_s, uncounted = record.header.t0_unix_s, 0.0
    for worker in range(record.plan.workers):
        lost_at_unix_s = _lost(record, worker)[0]
        if lost_at_unix_s is not None and began_unix_s is not None and not _drained(record, worker):
            first = max(int(lost_at_unix_s - began_unix_s), 0)
            uncounted += float(due[first : first + UNCOUNTED_AT_MOST_S].sum()) / record.plan.workers
    return math.ceil(uncounted)


def _cut_short(record: RunRecord, hold: Hold, facts: ClusterFacts | None) -> str:
    """Why the load ended before the plan did, also by Kubernetes' word; empty when it went on to the end."""
    began_unix_s = record.header.t0_unix_s
    if began_unix_s is None:
        return record.header.ended_because or "no load began"
    if hold.load_end_unix_s >= began_unix_s + record.plan.profile.duration_s:
        return ""
    ended = record.happened("load_ended")
    if not ended:
        return f"golive was killed, or the run is not over yet{_taken_away(facts)}"
    return str(ended[-1].fields.get("because") or record.header.ended_because) + _taken_away(facts)
