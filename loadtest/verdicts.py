"""From a finished record to its verdict and report: gather, judge, render. The CLI's own half."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analysis.client_load import with_parts
from analysis.evidence import assemble
from analysis.gather import gather
from analysis.manifest import changed_since_closed, release, was_closed, write_manifest
from analysis.ports import MetricsSource
from analysis.prometheus import Prometheus
from analysis.report import render
from analysis.results import RunRecord, read_record
from analysis.spikes import around_spikes
from analysis.timeline import timeline
from analysis.verdict_file import write_verdict
from loadtest.level_verdicts import judged_levels, judged_proofs, limit_seen
from scenarios.files import read_objectives
from slo.evidence import Evidence, NotSeen
from slo.findings import find
from slo.judge import judge
from slo.objective import Recovery
from slo.validity import Finding, Measurement
from slo.verdict import Verdict
from slo.voiding import with_beside


def metrics_of(url: str) -> MetricsSource | NotSeen:
    """The Prometheus at this address, or the word that there is none."""
    return Prometheus(url) if url else NotSeen("no Prometheus was named for this target")


def gather_evidence(folder: Path, prometheus_url: str) -> None:
    """Pull every series the verdict needs into the record, so that judging never needs Prometheus again."""
    release(folder, "evidence")
    gather(read_record(folder), metrics_of(prometheus_url))


def conclude(folder: Path, *, objectives: str = "") -> Verdict:
    """Judge a record as it lies there and write verdict, timeline, report and manifest beside it.

    objectives: name or path of other objectives than the plan's own; "" for the plan's.
    """
    record = _as_it_was(read_record(folder))
    if objectives:  # the report tells of those that were judged
        plan = replace(record.plan, objectives=read_objectives(objectives))
        record = replace(record, plan=plan, objectives_of=objectives)
    asked = record.plan.objectives
    evidence, measurement = assemble(record)
    findings = _found(record, evidence, measurement)
    levels = judged_levels(record, asked)
    evidence = replace(evidence, limit=limit_seen(record, levels, judged_proofs(record, asked)), levels=levels)
    evidence = with_parts(record, evidence, asked)
    verdict = judge(asked, evidence, findings)
    seconds = timeline(record)
    seconds.to_parquet(folder / "timeline.parquet")
    write_verdict(folder / "verdict.json", record=record, verdict=verdict, evidence=evidence)
    render(record=record, evidence=evidence, measurement=measurement, verdict=verdict, timeline=seconds, into=folder)
    write_manifest(folder, closed=_is_closed(record))
    return verdict


def _as_it_was(record: RunRecord) -> RunRecord:
    """The record, with a gap for whatever was changed after the run had ended."""
    return replace(record, gaps=record.gaps + changed_since_closed(record.folder)) if _is_closed(record) else record


def _is_closed(record: RunRecord) -> bool:
    """Whether the run itself wrote its record to the end; whoever collected what was left of it added to it.

    By its events or by its manifest: either may be what somebody changed since.
    """
    closed = bool(record.happened("closed")) or was_closed(record.folder)
    return closed and not record.happened("master_pod_lost")


def _found(record: RunRecord, evidence: Evidence, measurement: Measurement) -> tuple[Finding, ...]:
    """What speaks against the hold, and where recovery is asked, against the seconds around the spike."""
    thresholds = record.plan.thresholds
    found = find(measurement, evidence, thresholds)
    asked = any(isinstance(objective, Recovery) for objective in record.plan.objectives)
    around = around_spikes(record, evidence) if asked else None
    if around is None:
        return found
    beside = find(around[1], around[0], thresholds)
    return with_beside(found, beside, where="From the spike's onset to the load's end", bears_on=("recovery",))
