"""Everything the report says, as values: the HTML and the Markdown only differ in how they say it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import pandas as pd

from analysis.autoscalers import Seen, autoscalers_seen
from analysis.cluster.record import ClusterRecord, read_cluster
from analysis.evidence_files import read_answer
from analysis.report.autoscalers import limits_told
from analysis.report.axis import TimeAxis, time_axis
from analysis.report.charting import Charting
from analysis.report.charts import panels
from analysis.report.cluster_tables import (
    cluster_events_table,
    fingerprint_table,
    own_pods_table,
    pods_table,
    watch_table,
)  # fmt: skip
from analysis.report.findings import Told, findings_told
from analysis.report.headline import WORD, sentence
from analysis.report.journey_tables import journey_tables, journeys_told
from analysis.report.levels import LevelChart, level_chart, levels_table
from analysis.report.load_tables import failures_table, phases_table, requests_table, writes_table
from analysis.report.load_words import Fact, driven, facts
from analysis.report.meanings import WORDS
from analysis.report.not_proven import Gap, gaps_of
from analysis.report.plots import Panel
from analysis.report.reconciliation import reconciliation_table
from analysis.report.recovery import Seen as SpikeJudged
from analysis.report.recovery import moments, recoveries, recovery_table
from analysis.report.repeat import Command, commands
from analysis.report.run_tables import events_table, evidence_table, versions_table, workers_table
from analysis.report.scaling_tables import autoscalers_table, scale_ups_table
from analysis.report.slowest_table import slowest_table
from analysis.report.tables import Table
from analysis.report.wording import count, into_run, milliseconds, rate, time_of_day
from analysis.report.worst_window import WorstWindow, worst_window
from analysis.results import RunHeader, RunRecord
from scenarios.plan import Plan
from slo.evidence import Evidence, NotSeen
from slo.objective import Recovery
from slo.validity import Measurement
from slo.verdict import Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The report's content, top to bottom."""

    header: RunHeader
    word: str
    tone: str  # passed, failed or unproven
    sentence: str
    facts: tuple[Fact, ...]
    judgements: tuple[Judgement, ...]
    voids: tuple[Told, ...]
    warnings: tuple[Told, ...]
    worst: tuple[str, ...]
    open_questions: tuple[Gap, ...]
    level_chart: LevelChart | None  # of a search
    levels: Table | None
    recovery: Table | None  # where it was asked
    axis: TimeAxis | None
    panels: tuple[Panel, ...]
    thinning: str
    tables: tuple[Table, ...]
    cluster: tuple[Table, ...]  # () for a run that watched no cluster
    record_gaps: tuple[str, ...]
    commands: tuple[Command, ...]
    words: tuple[Fact, ...]


def page_of(
    *, record: RunRecord, evidence: Evidence, measurement: Measurement, verdict: Verdict, timeline: pd.DataFrame
) -> Page:
    """Put the report together."""
    worst = worst_window(evidence, record.plan.objectives)
    cluster = read_cluster(record.folder)
    seen = autoscalers_seen(record, cluster)
    spikes = recoveries(evidence, record.plan)
    axis = time_axis(record, timeline, evidence.hold, worst, moments(spikes))
    found = findings_told(verdict, t0_unix_s=record.header.t0_unix_s)
    return Page(
        header=record.header,
        word=WORD[verdict.outcome],
        tone=verdict.outcome.value.removeprefix("not ").replace("proven", "unproven"),
        sentence=sentence(verdict, load=driven(record, evidence)),
        facts=(*facts(record, evidence), *_journeys(record)),
        judgements=verdict.judgements,
        voids=tuple(one for one in found if one.took_away),
        warnings=tuple(one for one in found if not one.took_away),
        worst=_worst_words(worst, record),
        open_questions=gaps_of(record.plan, rehearsal=record.header.rehearsal),
        level_chart=level_chart(evidence, record.plan),
        levels=None if record.plan.search is None else levels_table(evidence),
        axis=axis,
        panels=_panels(record, evidence, timeline, axis, autoscalers=seen, spikes=spikes),
        recovery=recovery_table(spikes, record.header.t0_unix_s) if _asks_recovery(record.plan) else None,
        thinning=_thinning(axis),
        tables=_tables(record, evidence, measurement, None if cluster else seen),
        cluster=_on_the_cluster(record, measurement, cluster, seen, evidence) if cluster else (),
        record_gaps=tuple(dict.fromkeys(chain(record.gaps, measurement.record_gaps))),
        commands=commands(record),
        words=tuple(WORDS.items()),
    )


def _journeys(record: RunRecord) -> tuple[Fact, ...]:
    own = record.plan.workload.flows and not record.plan.closed
    return (("Journeys", journeys_told(record)),) if own else ()


def _worst_words(worst: WorstWindow | None, record: RunRecord) -> tuple[str, ...]:
    if worst is None:
        return ("Not a second of the hold was seen.",)
    start_unix_s, end_unix_s = worst.start_unix_s, worst.start_unix_s + worst.duration_s
    begins = into_run(start_unix_s - (record.header.t0_unix_s or start_unix_s))
    return (
        f"{worst.duration_s} s from {begins} into the run"
        f" ({time_of_day(start_unix_s)} to {time_of_day(end_unix_s)} UTC):",
        f"{count(worst.ok)} of {count(worst.due)} due were answered correctly, {rate(worst.answered_rps)};"
        f" P95 {milliseconds(worst.p95_ms)}, P99 {milliseconds(worst.p99_ms)} of those answered."
        if worst.ok
        else f"None of {count(worst.due)} due was answered correctly.",
    )


def _panels(
    record: RunRecord,
    evidence: Evidence,
    timeline: pd.DataFrame,
    axis: TimeAxis | None,
    *,
    autoscalers: Seen,
    spikes: tuple[SpikeJudged, ...],
) -> tuple[Panel, ...]:
    if axis is None:
        return ()
    alerts = read_answer(record.folder / "evidence", "alerts")
    sources: dict[str, object] = {
        "replicas": evidence.autoscalers, "backlog": evidence.backlogs, "alerts": alerts,
        **{str(of): one for of, one in evidence.resources.items()},
    }  # fmt: skip
    unseen = {name: source.because for name, source in sources.items() if isinstance(source, NotSeen)}
    charting = Charting(
        timeline=timeline, axis=axis, plan=record.plan, hold=evidence.hold, autoscalers=limits_told(evidence)
    )
    steered = () if isinstance(autoscalers.by_kubernetes, NotSeen) else autoscalers.by_kubernetes
    return panels(charting, unseen=unseen, steered=steered, spikes=spikes)


def _asks_recovery(plan: Plan) -> bool:
    return any(isinstance(one, Recovery) for one in plan.objectives)


def _thinning(axis: TimeAxis | None) -> str:
    if axis is None or axis.seconds_per_point == 1:
        return "Each point is one second."
    return (
        f"Each point stands for {axis.seconds_per_point} s: rates are averages; latency, failures, lag, backlog and "
        "resources show the worst second; replicas the last. timeline.parquet has every second."
    )


def _tables(record: RunRecord, evidence: Evidence, measurement: Measurement, seen: Seen | None) -> tuple[Table, ...]:
    """seen: the autoscalers, when they have no place of their own."""
    return (
        requests_table(record, evidence.hold),
        *journey_tables(record, evidence.hold),
        failures_table(record, evidence.hold),
        slowest_table(record, evidence.hold),
        reconciliation_table(evidence),
        *([scale_ups_table(record, seen)] if seen else []),
        writes_table(record),
        phases_table(record),
        workers_table(record, measurement),
        events_table(record),
        evidence_table(record.folder),
        versions_table(record, has_cluster=seen is None),
    )


def _on_the_cluster(
    record: RunRecord, measurement: Measurement, cluster: ClusterRecord, seen: Seen, evidence: Evidence
) -> tuple[Table, ...]:
    return (
        scale_ups_table(record, seen),
        autoscalers_table(seen, evidence.hold),
        pods_table(record, cluster),
        own_pods_table(record, cluster),
        cluster_events_table(record, cluster),
        watch_table(record, cluster),
        fingerprint_table(record, cluster, measurement),
    )
