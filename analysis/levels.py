"""What was seen of one level of a search: the same evidence as of a hold, over the level's own stretch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from analysis.autoscalers import autoscalers_seen, during
from analysis.client_load import client_load
from analysis.cluster.record import read_cluster
from analysis.driven import DrivenLevel
from analysis.hold import Hold
from analysis.measurement import measurement_of
from analysis.ports import MetricsSource
from analysis.replicas import backlog_of, backlog_series
from analysis.results import LATENCIES, SECONDS, WORKERS, RunRecord
from analysis.server_load import server_load
from scenarios.errors import MetricsUnavailable
from scenarios.target import Target
from slo.evidence import BacklogSeries, Evidence, NotSeen, ServerLoad, Window
from slo.validity import Measurement, WorkerFacts

Backlogs = tuple[BacklogSeries, ...] | NotSeen
LATER = NotSeen("looked at when the level is over")


def level_evidence(record: RunRecord, level: DrivenLevel, *, under_way: bool = False) -> tuple[Evidence, Measurement]:
    """Evidence and measurement over a level's hold, from the record alone. under_way: the record still grows."""
    window = Window(start_unix_s=level.from_unix_s, end_unix_s=level.until_unix_s)
    hold = Hold(window=window, load_end_unix_s=level.ended_unix_s, complete=True)
    watched_until_unix_s = level.watched_until_unix_s or record.header.watched_until_unix_s or time.time()
    client, cluster = client_load(record, hold), read_cluster(record.folder)
    evidence = Evidence(
        hold=window,
        load_end_unix_s=level.ended_unix_s,
        watched_until_unix_s=watched_until_unix_s,
        rate_to_prove_rps=level.rate_rps,
        hold_complete=True,
        client=client,
        server=_of_level(server_load(record, hold, client)),
        backlogs=_until(backlog_series(record.folder / "evidence", window.start_unix_s), watched_until_unix_s),
        autoscalers=during(autoscalers_seen(record, cluster).believed, level.began_unix_s, level.ended_unix_s),
    )
    measurement = _at(measurement_of(record, hold, cluster), window)
    return evidence, _as_it_grows(measurement) if under_way else measurement


def live_evidence(
    record: RunRecord, window: Window, rate_rps: float, backlogs: Backlogs
) -> tuple[Evidence, Measurement]:
    """The same while the load goes on: what golive itself saw, and how the backlog goes."""
    hold = Hold(window=window, load_end_unix_s=window.end_unix_s, complete=True)
    evidence = Evidence(
        hold=window,
        load_end_unix_s=window.end_unix_s,
        watched_until_unix_s=window.end_unix_s,
        rate_to_prove_rps=rate_rps,
        hold_complete=True,
        client=client_load(record, hold),
        server=LATER,
        backlogs=backlogs,
        autoscalers=LATER,
    )
    # Prometheus is asked when it is over.
    return evidence, replace(
        _as_it_grows(_at(measurement_of(record, hold), window)), metrics_gap_s=0.0, series_gaps_s={}
    )


def live_backlogs(metrics: MetricsSource | NotSeen, target: Target, window: Window) -> Backlogs:
    """The queues over a window that has just passed."""
    if isinstance(metrics, NotSeen) or not target.queries.backlog:
        return NotSeen("nobody knows the backlog")
    try:
        series = metrics.query_range(
            target.queries.backlog, start_unix_s=window.start_unix_s, end_unix_s=window.end_unix_s, step_s=1.0
        )
    except MetricsUnavailable as silence:
        return NotSeen(silence.problem)
    return tuple(backlog_of(one, target.queries.backlog, window.start_unix_s) for one in series)


def sizes_now(folder: Path) -> Mapping[str, int]:
    """How long the growing files of a record are, for reading only what comes after."""
    paths = {name: folder / name for name in (SECONDS, LATENCIES, WORKERS)}
    return {name: path.stat().st_size if path.exists() else 0 for name, path in paths.items()}


def _of_level(server: ServerLoad | NotSeen) -> ServerLoad | NotSeen:
    """Client and server are reconciled over the whole load, once; a level is a part of it."""
    return server if isinstance(server, NotSeen) else replace(server, load_requests=None)


def _until(backlogs: Backlogs, end_unix_s: float) -> Backlogs:
    """The series up to the next level's beginning: what piles up then is not this level's."""
    if isinstance(backlogs, NotSeen):
        return backlogs
    kept = [one.at_unix_s <= end_unix_s for one in backlogs]
    return tuple(
        replace(one, at_unix_s=one.at_unix_s[until], depth=one.depth[until])
        for one, until in zip(backlogs, kept, strict=True)
    )


def _at(measurement: Measurement, window: Window) -> Measurement:
    """The facts that bear on this stretch: how the whole run ended is told of the run."""
    workers = tuple(_lost_later(worker, window) for worker in measurement.workers)
    return replace(measurement, workers=workers, master_lost=False, cut_short="", uncounted_at_most=0)


def _as_it_grows(measurement: Measurement) -> Measurement:
    """Without what only the look itself made: a delta's counts may lie to one side of it, its histograms to the other.

    Nor have the requests a time that are under way as it looks. Real damage is found when the run is over, and then
    speaks against every level.
    """
    return replace(measurement, record_gaps=(), under_way_s=None)


def _lost_later(worker: WorkerFacts, window: Window) -> WorkerFacts:
    if worker.lost_at_unix_s is None or worker.lost_at_unix_s < window.end_unix_s:
        return worker
    return replace(worker, lost_at_unix_s=None, lost_because="", fate=None)
