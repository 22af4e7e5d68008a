"""A report of each kind, as large and as odd as real ones: for the browser tests, and to look at.

`python -m tests.analysis.report.gallery FOLDER` writes them all.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis.evidence import assemble
from analysis.results import read_record
from scenarios.workload import Request, Workload
from slo.findings import find
from slo.judge import judge
from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict
from tests.analysis.cluster.clusters import seat_worker
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.clusters import HOSTILE, hostile_cluster, watched_cluster
from tests.analysis.report.runs import (
    MIX,
    JudgedRun,
    hotel,
    judged,
    read_back,
    run_of,
    staging,
    verdict_of,
    write_platform,
)  # fmt: skip
from tests.analysis.spiked import spiked

MET, MISSED, UNPROVEN = Outcome.MET, Outcome.MISSED, Outcome.UNPROVEN
FULL: dict[str, Any] = {
    "mix": MIX, "warm_s": 60, "hold_s": 180, "watch_s": 45, "rps": 31_500, "rate_to_prove_rps": 30_000.0, "workers": 2,
}  # fmt: skip


def _usual_times(t: int) -> tuple[float, ...]:
    swing = 1 + 0.25 * math.sin(t / 11) + (0.8 if 100 <= t < 108 else 0)
    return tuple(round(base * swing, 1) for base in (12, 15, 18, 21, 26, 33, 44, 60, 95, 187))


def table(**outcomes: Outcome) -> tuple[Judgement, ...]:
    """The seven go-live objectives in the words of a real verdict."""
    figures = {
        "throughput": ("≥ 30,000/s in every 10 s", "31,498/s in the worst 10 s", "exact count",
                       "314,981 of 315,000 due were answered correctly in the worst 10 s; 300,000 needed",
                       "client, 5,670,000 requests", "31,502/s"),
        "p95": ("P95 < 450 ms", "187 ms", "181–195 ms (95 %)",
                "5,386,500 of 5,670,000 answered within 187 ms of the instant they were due",
                "client, 5,670,000 requests", "P95 between 100 and 250 ms"),
        "p99": ("P99 < 900 ms", "412 ms", "398–431 ms (95 %)",
                "5,613,300 of 5,670,000 answered within 412 ms of the instant they were due",
                "client, 5,670,000 requests", "P99 between 250 and 500 ms"),
        "errors": ("< 4 %", "0.012 %", "0.011–0.013 %",
                   "680 of 5,670,000 were not answered as expected; 226,800 allowed",
                   "client, 5,670,000 requests", "0.011 % were 5xx"),
        "availability": ("≥ 99.9 %", "99.991 %", "exact count",
                         "510 of 5,670,000 met a 5xx, a refusal or a time-out; 5,670 allowed. 30 days were not seen",
                         "client, 5,670,000 requests", "—"),
        "backlog": ("does not grow; done 60 s after", "done after 4 s", "slope −0.2 to +0.1 a second",
                    "2 queues: the deepest, commands, held 400 at most and was empty 4 s after the load",
                    "Prometheus, 2 series", "decides"),
        "scaling": ("settled for 60 s below max", "settled for 74 s", "—",
                    "3 autoscalers: desired = ready and below the maximum for the last 74 s of the hold",
                    "Prometheus, 3 autoscalers", "decides"),
    }  # fmt: skip
    return tuple(
        judged(name, outcomes.get(name, MET), target=target, measured=measured, interval=interval, because=because,
               source=source, server_side=server)
        for name, (target, measured, interval, because, source, server) in figures.items()
    )  # fmt: skip


def passed(folder: Path) -> JudgedRun:
    run = Synthetic(**FULL, latency_ms=_usual_times, failed={t: {"status 503": 8, "reset": 2} for t in range(100, 108)},
                    plan_changes=hotel())  # fmt: skip
    return run_of(folder, run, verdict=verdict_of(RunOutcome.PASSED, *table()), platform=True)


def failed(folder: Path) -> JudgedRun:
    slow = {t: {"timeout wait": 2500 + 40 * (t % 9), "status 503": 900, "reset": 31} for t in range(130, 190)}
    run = Synthetic(
        **FULL, failed=slow, failed_ms=10_000.0, lost={1: 170},
        latency_ms=lambda t: tuple(ms * (9 if 130 <= t < 190 else 1) for ms in _usual_times(t)),
        plan_changes=hotel(target=staging()),
    )  # fmt: skip
    rows = table(throughput=MISSED, p99=MISSED, errors=MISSED, backlog=UNPROVEN)
    missed = tuple(
        dataclasses.replace(one, voided_by=("worker-lost",)) if one.outcome is UNPROVEN else one for one in rows
    )
    late = Finding(kind=FindingKind.WORKER_LOST, severity=Severity.VOIDS, at_unix_s=T0 + 173.5,
                   what="worker 1 was silent for 3.5 s from 2:53 on; 1,102,500 due requests were never sent",
                   remedy="See its log; run it where it has a core of its own.")  # fmt: skip
    return run_of(folder, run, verdict=verdict_of(RunOutcome.FAILED, *missed, findings=(late,)), platform=True)


def not_proven(folder: Path) -> JudgedRun:
    run = Synthetic(**FULL, latency_ms=_usual_times, lag_us=412_000, control_timer_us=90_000, throttled_ratio=0.31,
                    unsent={t: 1200 for t in range(90, 120)}, plan_changes=hotel())  # fmt: skip
    lag = Finding(kind=FindingKind.SCHEDULE_LAG, severity=Severity.VOIDS, at_unix_s=T0 + 90.0,
                  what="99 % of the requests left up to 412 ms late; 25 ms are allowed",
                  remedy="Give golive's workers cores of their own, or lower the rate.")  # fmt: skip
    starved = Finding(kind=FindingKind.WORKER_STARVED, severity=Severity.VOIDS,
                      what="worker 0 was throttled in 31 % of its time slices; 5 % are allowed",
                      remedy="Raise the CPU quota.")  # fmt: skip
    shared = Finding(kind=FindingKind.CONTENTION, severity=Severity.WARNS,
                     what="golive and the platform share one machine of 2 cores", remedy="")  # fmt: skip
    rows = tuple(
        judged(one.objective, UNPROVEN if one.objective in ("p95", "p99", "throughput") else one.outcome,
               target=one.target, measured=one.measured, interval=one.interval, because=one.because, source=one.source,
               voided_by=("schedule-lag", "worker-starved") if one.objective in ("p95", "p99", "throughput") else ())
        for one in table()
    )  # fmt: skip
    return run_of(folder, run, verdict=verdict_of(RunOutcome.NOT_PROVEN, *rows, findings=(lag, starved, shared)))


def on_a_cluster(folder: Path) -> JudgedRun:
    """A cluster whose autoscaler was capped, a worker killed for its memory, a deployment, and a watch with gaps."""
    run = Synthetic(**{**FULL, "warm_s": 20, "hold_s": 120, "lost": {1: 90}}, latency_ms=_usual_times,
                    plan_changes=hotel(target=staging()))  # fmt: skip
    run.write(folder)
    write_platform(folder / "evidence", int(run.watched_until_unix_s - T0))
    watched_cluster(run).write(folder)
    seat_worker(folder, 1, "golive-r1-worker-1-x7k2p")
    record = read_record(folder)
    evidence, measurement = assemble(record)
    verdict = judge(record.plan.objectives, evidence, find(measurement, evidence, record.plan.thresholds))
    return read_back(folder, verdict)


def cut_off(folder: Path) -> JudgedRun:
    """golive was killed with -9 in the hold."""
    run = Synthetic(**FULL, latency_ms=_usual_times, stopped_at_s=95, killed=True, plan_changes=hotel())
    return run_of(folder, run, verdict=_nothing("the run was killed 35 s into its hold of 3 min"))


def nothing(folder: Path) -> JudgedRun:
    """golive was killed before a single second of load."""
    run = Synthetic(stopped_at_s=0, killed=True)
    run.write(folder)
    events = folder / "events.jsonl"
    kept = [line for line in events.read_text(encoding="utf-8").splitlines(keepends=True) if "load_started" not in line]
    events.write_text("".join(kept), encoding="utf-8")
    (folder / "load.hlog").unlink()
    return read_back(folder, _nothing("no load began"))


def hostile(folder: Path) -> JudgedRun:
    """Every text that comes from outside tries to become code."""
    requests = (Request(name=HOSTILE, weight=1, method="GET", path="/", writes=True),)
    plan = {"name": HOSTILE, "workload": Workload(name=HOSTILE, requests=requests)}
    Synthetic(mix={HOSTILE: 1.0}, failed={9: {HOSTILE: 3}}, lost={0: 22}, plan_changes=plan).write(folder)
    header = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    header |= {"fingerprint": {HOSTILE: HOSTILE}, "machine": {"name": HOSTILE}, "ended": "aborted", "run_id": HOSTILE,
               "ended_because": HOSTILE, "rehearsal": False,
               "target": {"name": HOSTILE, "url": HOSTILE, "class": "production"}}  # fmt: skip
    (folder / "run.json").write_text(json.dumps(header), encoding="utf-8")
    (folder / "evidence").mkdir(exist_ok=True)
    answer = {"query": HOSTILE, "error": HOSTILE, "server": HOSTILE, "start_unix_s": T0, "end_unix_s": T0}
    (folder / "evidence" / "up.json").write_text(json.dumps(answer), encoding="utf-8")
    hostile_cluster().write(folder)
    row = judged(HOSTILE, MISSED, because=HOSTILE, target=HOSTILE, measured=HOSTILE, interval=HOSTILE, source=HOSTILE,
                 server_side=HOSTILE, voided_by=(HOSTILE,))  # fmt: skip
    finding = Finding(kind=FindingKind.UNSENT, severity=Severity.VOIDS, what=HOSTILE, remedy=HOSTILE)
    return read_back(folder, verdict_of(RunOutcome.FAILED, row, findings=(finding,)))


def late_from_a_spike(folder: Path) -> JudgedRun:
    """Its promises held again 35 s after the spike; 30 s were given."""
    spiked(mix=MIX, plan_changes={**spiked().plan_changes, **hotel()}).write(folder)
    record = read_record(folder)
    evidence, measurement = assemble(record)
    verdict = judge(record.plan.objectives, evidence, find(measurement, evidence, record.plan.thresholds))
    return read_back(folder, verdict)


def _nothing(because: str) -> Verdict:
    rows = (judged(one.objective, UNPROVEN, target=one.target, measured="—", interval="—", source="—", because=because,
                   voided_by=("cut-short",)) for one in table())  # fmt: skip
    short = Finding(kind=FindingKind.CUT_SHORT, severity=Severity.VOIDS, what=because,
                    remedy="Run it again and let it end.")  # fmt: skip
    return verdict_of(RunOutcome.NOT_PROVEN, *rows, findings=(short,))


GALLERY: dict[str, Callable[[Path], JudgedRun]] = {
    "passed": passed, "failed": failed, "not-proven": not_proven, "cut-off": cut_off, "nothing": nothing,
    "hostile": hostile, "cluster": on_a_cluster, "spike": late_from_a_spike,
}  # fmt: skip

if __name__ == "__main__":
    for name, made in GALLERY.items():
        print(made(Path(sys.argv[1]) / name).render())  # noqa: T201
