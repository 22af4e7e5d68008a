"""Judged runs to render: small records with evidence beside them, and verdicts written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from analysis.evidence import assemble
from analysis.evidence_files import Asked, write_answer
from analysis.ports import Series
from analysis.report import render
from analysis.report.page import Page, page_of
from analysis.results import RunRecord, read_record
from analysis.timeline import timeline
from scenarios.target import Target, TargetClass
from scenarios.workload import Request, Workload
from slo.evidence import Evidence, NotSeen
from slo.validity import Finding, FindingKind, Measurement, Severity
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict
from tests.analysis.records import T0, Synthetic

MIX = {
    "availability": 0.42, "create": 0.10, "modify": 0.07, "cancel": 0.05, "ota-sync": 0.14, "check-in": 0.04,
    "check-out": 0.04, "payment": 0.06, "reporting": 0.08,
}  # fmt: skip
SERVER = "http://operator:secret@127.0.0.1:9090"


def judged(objective: str, outcome: Outcome = Outcome.MET, **changes: Any) -> Judgement:
    """One objective's judgement; what a test does not care about is plausible."""
    usual: dict[str, Any] = {
        "kind": objective, "because": f"the {objective} is as it is", "target": "≥ 1", "measured": "2",
        "interval": "exact count", "source": "client", "required": True,
    }  # fmt: skip
    return Judgement(objective=objective, outcome=outcome, **{**usual, **changes})


def found(kind: FindingKind = FindingKind.SCHEDULE_LAG, severity: Severity = Severity.VOIDS) -> Finding:
    return Finding(kind=kind, severity=severity, what="P99 of the schedule lag is 412 ms; 25 ms are allowed",
                   remedy="Give golive a machine of its own.", at_unix_s=T0 + 12.0)  # fmt: skip


def verdict_of(outcome: RunOutcome, *judgements: Judgement, findings: tuple[Finding, ...] = ()) -> Verdict:
    return Verdict(outcome=outcome, judgements=judgements, findings=findings)


PASSED = verdict_of(RunOutcome.PASSED, judged("throughput"), judged("p95"))


@dataclass(frozen=True, kw_only=True)
class JudgedRun:
    """Everything `render` takes."""

    record: RunRecord
    evidence: Evidence
    measurement: Measurement
    verdict: Verdict
    timeline: pd.DataFrame = field(repr=False)

    def page(self) -> Page:
        return page_of(record=self.record, evidence=self.evidence, measurement=self.measurement,
                       verdict=self.verdict, timeline=self.timeline)  # fmt: skip

    def render(self) -> Path:
        """Write the report into the run's folder; returns the HTML file."""
        render(record=self.record, evidence=self.evidence, measurement=self.measurement, verdict=self.verdict,
               timeline=self.timeline, into=self.record.folder)  # fmt: skip
        return self.record.folder / "report.html"


def run_of(
    folder: Path, run: Synthetic | None = None, *, verdict: Verdict = PASSED, platform: bool = False
) -> JudgedRun:
    """Write a record (with what Prometheus knew, if `platform`) and read everything back from it."""
    run = run or Synthetic()
    run.write(folder)
    if platform:
        write_platform(folder / "evidence", int(run.watched_until_unix_s - T0))
    return read_back(folder, verdict)


def read_back(folder: Path, verdict: Verdict) -> JudgedRun:
    """What a record holds, with this verdict on it."""
    record = read_record(folder)
    evidence, measurement = assemble(record)
    return JudgedRun(record=record, evidence=evidence, measurement=measurement, verdict=verdict,
                     timeline=timeline(record))  # fmt: skip


def hotel(**changes: Any) -> dict[str, Any]:
    """Changes of a plan: a workload that writes, whose requests have these names."""
    requests = tuple(
        Request(name=name, weight=weight, method="POST", path="/", writes=name not in ("availability", "reporting"))
        for name, weight in MIX.items()
    )
    return {"name": "30k", "workload": Workload(name="ota-heavy", requests=requests), **changes}


def staging() -> Target:
    return Target(name="staging-eu", url="https://api.staging.hotel.test", target_class=TargetClass.STAGING)


# --- what Prometheus knew ------------------------------------------------------------------------


def write_platform(folder: Path, length_s: int, *, more: Mapping[str, tuple[Series, ...]] | None = None) -> None:
    """Two autoscalers that move, one that does not, two queues, one alert, and a question that failed."""
    at = np.arange(length_s, dtype=np.float64)
    rising = np.minimum(8 + np.floor(at / 6), 24)
    late = np.minimum(8 + np.floor(np.maximum(at - 9, 0) / 6), 24)
    answers: dict[str, tuple[Series, ...] | NotSeen] = {
        "hpa_desired": (_hpa("core", at, rising), _hpa("api-gateway", at, 12 + rising), _hpa("rooms", at, 5)),
        "hpa_min": tuple(_hpa(name, at, 3) for name in ("core", "api-gateway", "rooms")),
        "hpa_max": tuple(_hpa(name, at, 80) for name in ("core", "api-gateway", "rooms")),
        "deployment_ready": (
            _series(at, late, deployment="core"), _series(at, 12 + late, deployment="api-gateway"),
            _series(at, 5, deployment="rooms"),
        ),
        "backlog": (_series(at, 400 * np.sin(at / 9) ** 2, queue="commands"), _series(at, 0, queue="ota")),
        "alerts": (_series(at[(at > 14) & (at < 22)], 1, alertname="HighLatency"),),
        "hpa_reason": NotSeen("Prometheus refused the query"),
        **(more or {}),
    }  # fmt: skip
    for name, answer in answers.items():
        asked = Asked(query=f"sum({name})", server=SERVER, start_unix_s=T0 - 60.0, end_unix_s=T0 + float(length_s),
                      step_s=1.0, fetched_unix_s=T0 + 999.0)  # fmt: skip
        write_answer(folder, name, asked, answer)


def _hpa(name: str, at: ArrayLike, values: ArrayLike) -> Series:
    return _series(at, values, horizontalpodautoscaler=name)


def _series(at: ArrayLike, values: ArrayLike, **labels: str) -> Series:
    since = np.asarray(at, dtype=np.float64)
    return Series(labels=labels, at_unix_s=T0 + since, values=np.broadcast_to(np.asarray(values, float), since.shape))
