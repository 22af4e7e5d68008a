"""The run on one axis: a row a second from the start of the load to the end of the watch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.autoscalers import autoscalers_seen
from analysis.client_load import due_in, per_second
from analysis.cluster.record import read_cluster
from analysis.evidence_files import read_answer
from analysis.hold import hold_of
from analysis.latency_log import FAILED, LAG, merged
from analysis.replicas import backlog_series
from analysis.resources import resources_of
from analysis.results import RunRecord
from slo.evidence import Counts, LatencyTable, NotSeen
from slo.objective import Resource, Steady

RATIOS = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}
ROWS_AT_ONCE = 900  # keeps a long run's histograms within some 100 MB
US_IN_MS = 1000.0
MOST_PROCESSES = 4  # of each resource
RESOURCE_COLUMNS: Mapping[Resource, tuple[str, float]] = {  # and what their values are divided by
    "memory": ("memory_mb", 1e6), "file_handles": ("file_handles", 1.0), "connections": ("connections", 1.0),
}  # fmt: skip

Values = NDArray[np.float64]


def timeline(record: RunRecord) -> pd.DataFrame:
    """The run second by second; `second` is unix time, NaN stands for what nobody saw.

    offered_rps, sent_rps, ok_rps, failed_rps, unsent_rps; p50_ms, p95_ms, p99_ms; lag_p99_ms; `failed: KIND`;
    `replicas desired: HPA`, `replicas ready: HPA`; `backlog: QUEUE`; `alerts` (names that fire, joined by commas);
    where the plan judges them `memory_mb: PROCESS`, `file_handles: PROCESS`, `connections: PROCESS`.
    """
    seconds = _seconds(record)
    counts = per_second(record.counts, seconds)
    columns: dict[str, object] = {"second": np.array(seconds, dtype=np.int64), "offered_rps": _offered(record, seconds)}
    columns |= {f"{name}_rps": counts[name] for name in ("sent", "ok", "failed", "unsent")}
    columns |= _latencies(record, seconds)
    columns |= dict(_failures(record, seconds))
    columns |= dict(_observed(record, np.array(seconds, dtype=np.float64)))
    columns["alerts"] = _alerts(record, seconds)
    return pd.DataFrame(columns)


def _seconds(record: RunRecord) -> range:
    began_unix_s = record.header.t0_unix_s
    if began_unix_s is None:
        return range(0)
    load_end_unix_s = hold_of(record).load_end_unix_s
    end_unix_s = max(load_end_unix_s, record.header.watched_until_unix_s or 0.0)
    return range(int(began_unix_s), math.ceil(end_unix_s))


def _offered(record: RunRecord, seconds: range) -> Counts:
    """What the plan had due, up to the end of the load: after that nothing was offered."""
    past_load = np.array(seconds, dtype=np.int64) >= math.ceil(hold_of(record).load_end_unix_s)
    return np.where(past_load, 0, due_in(record, seconds)).astype(np.int64)


# --- latency -------------------------------------------------------------------------------------


def _latencies(record: RunRecord, seconds: range) -> dict[str, Values]:
    names = [request.name for request in record.plan.workload.kinds]
    shortest_us = min(request.timeout_s for request in record.plan.workload.kinds) * 1e6
    parts: dict[str, list[Values]] = {name: [] for name in (*RATIOS, "lag_p99_ms")}
    for start in range(0, len(seconds), ROWS_AT_ONCE):
        chunk = seconds[start : start + ROWS_AT_ONCE]
        answered = record.latency.table(names, chunk)
        failed = record.latency.table([name + FAILED for name in names], chunk)
        everything, unanswered = merged(answered, failed), _at_least(failed, shortest_us)
        for name, ratio in RATIOS.items():
            parts[name].append(_worst(ratio, answered, everything, unanswered))
        parts["lag_p99_ms"].append(quantile_per_row(record.latency.table([LAG], chunk), 0.99) / US_IN_MS)
    return {name: np.concatenate([np.empty(0), *chunks]) for name, chunks in parts.items()}


def _worst(ratio: float, answered: LatencyTable, everything: LatencyTable, unanswered: LatencyTable) -> Values:
    """A percentile of each second, in ms, in which failures count where they make it worse and never help.

    In a second without any answer only those that waited until their timeout tell how long it took.
    """
    of_answered = quantile_per_row(answered, ratio)
    with_failures = np.maximum(of_answered, quantile_per_row(everything, ratio))
    worst = np.where(np.isnan(of_answered), quantile_per_row(unanswered, ratio), with_failures)
    return worst / US_IN_MS


def quantile_per_row(table: LatencyTable, ratio: float) -> Values:
    """The smallest value that at least this share of each row's requests does not exceed; NaN for an empty row."""
    rows = len(table.counts)
    if not len(table.values_us):
        return np.full(rows, np.nan)
    reached = np.cumsum(table.counts, axis=1)
    rank = np.maximum(1, np.ceil(ratio * reached[:, -1])).astype(np.int64)
    place = np.array([np.searchsorted(row, sought) for row, sought in zip(reached, rank, strict=True)], dtype=np.int64)
    values_us = table.values_us[np.minimum(place, len(table.values_us) - 1)]
    return np.where(reached[:, -1] > 0, values_us.astype(np.float64), np.nan)


def _at_least(table: LatencyTable, value_us: float) -> LatencyTable:
    slow = table.values_us >= value_us
    return LatencyTable(values_us=table.values_us[slow], counts=table.counts[:, slow])


# --- what else was seen --------------------------------------------------------------------------


def _failures(record: RunRecord, seconds: range) -> Iterator[tuple[str, Counts]]:
    if record.failures.empty:
        return
    kinds = record.failures.pivot_table(index="second", columns="kind", values="count", aggfunc="sum", fill_value=0)
    for kind, counts in kinds.reindex(list(seconds), fill_value=0).items():
        yield f"failed: {kind}", counts.to_numpy(dtype=np.int64)


def _observed(record: RunRecord, at_unix_s: Values) -> Iterator[tuple[str, Values]]:
    evidence = record.folder / "evidence"
    autoscalers = autoscalers_seen(record, read_cluster(record.folder)).believed
    for hpa in () if isinstance(autoscalers, NotSeen) else autoscalers:
        yield f"replicas desired: {hpa.name}", _at(at_unix_s, hpa.at_unix_s, hpa.desired)
        yield f"replicas ready: {hpa.name}", _at(at_unix_s, hpa.at_unix_s, hpa.ready)
    backlogs = backlog_series(evidence, float(at_unix_s[0]) if len(at_unix_s) else 0.0)
    for queue in () if isinstance(backlogs, NotSeen) else backlogs:
        yield f"backlog: {queue.queue}", _at(at_unix_s, queue.at_unix_s, queue.depth)
    yield from _resources(record, at_unix_s)


def _resources(record: RunRecord, at_unix_s: Values) -> Iterator[tuple[str, Values]]:
    """Of each resource that the plan judges, the processes that gained most."""
    judged = {one.of for one in record.plan.objectives if isinstance(one, Steady)}
    seen = resources_of(record) if judged else {}
    for of in sorted(judged):
        series = seen[of]
        grown = () if isinstance(series, NotSeen) else sorted(series, key=lambda one: one.value[0] - one.value[-1])
        for one in grown[:MOST_PROCESSES]:
            name, unit = RESOURCE_COLUMNS[of]
            yield f"{name}: {one.name}", _at(at_unix_s, one.at_unix_s, one.value / unit)


def _at(wanted_unix_s: Values, at_unix_s: Values, values: Values) -> Values:
    """The newest value at or before each instant, unless it is older than the usual step between two."""
    if not len(at_unix_s):
        return np.full(len(wanted_unix_s), np.nan)
    usual_s = float(np.median(np.diff(at_unix_s))) if len(at_unix_s) > 1 else 1.0
    index = np.searchsorted(at_unix_s, wanted_unix_s, side="right") - 1
    fresh = (index >= 0) & (wanted_unix_s - at_unix_s[np.maximum(index, 0)] < 2 * usual_s)
    return np.where(fresh, values[np.maximum(index, 0)], np.nan)


def _alerts(record: RunRecord, seconds: range) -> list[str]:
    answer = read_answer(record.folder / "evidence", "alerts")
    firing: dict[int, set[str]] = {}
    for series in () if isinstance(answer, NotSeen) else answer.series:
        for second in series.at_unix_s.astype(np.int64).tolist():
            firing.setdefault(second, set()).add(series.labels.get("alertname", "?"))
    return [",".join(sorted(firing.get(second, ()))) for second in seconds]
