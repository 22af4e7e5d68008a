"""Conduct one run: lay down its record, let Locust's processes lead it, watch until it has ended."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.ending import how_it_ended
from loadtest.interruption import Interruption, interruptible
from loadtest.processes import LocustProcesses, OwnLocustfile, WebUi, WorkersElsewhere
from loadtest.record import FORMAT, append_event, write_json
from loadtest.run_orders import request_stop
from loadtest.tail import Tail
from loadtest.target_remedies import remedy_for
from scenarios.closed_plan import closed_orders
from scenarios.engine_plan import for_run, redacted_engine_plan
from scenarios.errors import PreflightFailed
from scenarios.files import plan_to_json
from scenarios.plan import Plan
from scenarios.transport import careless

LOOK_EVERY_S = 0.25
END_GRACE_S = 8.0
GAVE_UP_WAITING = "Gave up waiting for workers"  # Locust's words (2.47, main.py)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a run is given besides its plan."""

    folder: Path
    rehearsal: bool
    versions: Mapping[str, str]
    watched: Callable[[int], None] = lambda _pid: None
    died_parts: Callable[[], list[str]] = list  # parts of the stage that died since the last call
    settled: Callable[[], bool] = lambda: True  # whether the platform has worked off what the load left
    show: Callable[[], None] = lambda: None  # draws the progress
    search: Callable[[], None] = lambda: None  # leads a search for the limit on
    ui: WebUi | None = None
    elsewhere: WorkersElsewhere | None = None
    metrics: str = ""  # HOST:PORT where the master serves its metrics; empty: nowhere
    fingerprint: Mapping[str, Any] = field(default_factory=dict)  # what identifies the platform as it was at the start
    command: str = ""  # the command line that asks for this run again
    warnings: tuple[str, ...] = ()  # what pre-flight found and let pass, in words


def conduct(plan: Plan, around: Surroundings) -> str:
    """Run the plan; returns how it ended: complete, stopped, interrupted, aborted.

    Raises PreflightFailed when no load began (the record says why), StageFailed never: a part that dies
    in mid-run is an event of the record.
    """
    lay_down(plan, around)
    processes = LocustProcesses(around.folder, around.watched, own=OwnLocustfile.of(plan))
    ended, because = "interrupted", "ended at once by a second signal"
    with interruptible(_asks_to_stop(around.folder)) as interruption:
        try:
            processes.start(workers=plan.workers, ui=around.ui, elsewhere=around.elsewhere, metrics=around.metrics)
            _watch_load(processes, around)
            _note_own_exit_code(plan, processes, around.folder)
            ended, because = how_it_ended(
                _events(around.folder),
                signals=interruption.signals,
                why_unstarted=lambda: _why_unstarted(processes, around),
                why_lost=lambda: processes.log_tail("master", 1) or "it was killed",
            )
            if ended == "unstarted":
                raise PreflightFailed(f"No load began: {because}.", remedy=_remedy_for(because, around.folder))
            _watch_after(plan, around, interruption)
        finally:
            processes.end(grace_s=END_GRACE_S if not interruption.signals[1:] else 0.5)
            _close(around.folder, ended=ended, because=because)
    return ended


def lay_down(plan: Plan, around: Surroundings) -> None:
    """Write what is known before the start, so that even a run killed at once can be read."""
    folder = around.folder
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "run.json").exists():
        raise FileExistsError(f"{folder} holds a run already")
    run_date = time.strftime("%Y-%m-%d", time.gmtime())
    write_json(folder / "plan.json", plan_to_json(plan))
    compiled = (
        closed_orders(plan) if plan.closed else redacted_engine_plan(for_run(plan, folder.name), run_date=run_date)
    )
    write_json(folder / "engine-plan.json", compiled)
    now_unix_s = time.time()
    write_json(folder / "run.json", _header(plan, around, now_unix_s, run_date))
    append_event(folder, "run_created", at_unix_s=now_unix_s)
    for warning in (*around.warnings, *filter(None, [careless(plan.tls)])):
        append_event(folder, "preflight_warning", at_unix_s=now_unix_s, what=warning)


def _header(plan: Plan, around: Surroundings, now_unix_s: float, run_date: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "golive_version": around.versions["golive"],
        "run_id": around.folder.name,
        "plan": plan.name,
        "model": "closed" if plan.closed else "open",
        "target": {"name": plan.target.name, "url": plan.target.url, "class": plan.target.target_class.value},
        "rehearsal": around.rehearsal,
        "workers": plan.workers,
        "created_unix_s": now_unix_s,
        "run_date": run_date,
        "t0_unix_s": None,
        "load_end_unix_s": None,
        "watched_until_unix_s": None,
        "prometheus_url": plan.target.prometheus_url,
        "metrics": around.metrics,
        "command": around.command,
        "ended": "running",
        "ended_because": "",
        "versions": dict(around.versions),
        "machine": {"name": platform.node(), "cores": os.cpu_count() or 0, "kernel": platform.release()},
        "fingerprint": {"cluster_uid": plan.target.cluster_uid, **around.fingerprint},
    }


def _asks_to_stop(folder: Path) -> Callable[[str], None]:
    def ask(name: str) -> None:
        append_event(folder, "interrupted", at_unix_s=time.time(), signal=name)
        request_stop(folder, by=name)

    return ask


def _watch_load(processes: LocustProcesses, around: Surroundings) -> None:
    gone: set[int] = set()
    while not processes.master_ended():
        for index in set(processes.ended_workers()) - gone:
            gone.add(index)
            status = processes.workers[index].returncode
            append_event(around.folder, "worker_process_ended", at_unix_s=time.time(), process=index, status=status)
        _note_dead_parts(around)
        around.search()
        around.show()
        time.sleep(LOOK_EVERY_S)


def _note_own_exit_code(plan: Plan, processes: LocustProcesses, folder: Path) -> None:
    """What a locustfile sets is Locust's exit code; golive itself ends it with 0, and a signal with less."""
    code = processes.master.returncode if plan.closed and processes.master else 0
    if code > 0 and any(event["event"] == "load_ended" for event in _events(folder)):
        append_event(folder, "locustfile_exit", at_unix_s=time.time(), code=code)


def _note_dead_parts(around: Surroundings) -> None:
    for part in around.died_parts():
        append_event(around.folder, "stage_part_died", at_unix_s=time.time(), part=part)


def _watch_after(plan: Plan, around: Surroundings, interruption: Interruption) -> None:
    """Keep looking until the platform has settled, or for as long as the plan says."""
    until_s = time.monotonic() + plan.watch_after_s
    because = f"{plan.watch_after_s:.0f} s have passed"
    while time.monotonic() < until_s:
        if interruption.signals:
            because = "interrupted"
            break
        if not plan.watch_scale_down and around.settled():
            because = "the backlog is worked off"
            break
        _note_dead_parts(around)
        around.show()
        time.sleep(LOOK_EVERY_S)
    append_event(around.folder, "watch_ended", at_unix_s=time.time(), because=because)


def _why_unstarted(processes: LocustProcesses, around: Surroundings) -> str:
    said = processes.log_tail("master")
    if around.elsewhere and GAVE_UP_WAITING in said:
        return f"not all workers came within {around.elsewhere.connect_within_s:.0f} s"
    return "the master ended before the load began:\n" + said


def _events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Tail(folder / "events.jsonl").lines() if line.endswith("}")]


def _close(folder: Path, *, ended: str, because: str) -> None:
    header = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    events = {event["event"]: event for event in _events(folder)}
    now_unix_s = time.time()
    header["t0_unix_s"] = events.get("load_started", {}).get("t0_unix_s")
    header["load_end_unix_s"] = events.get("load_ended", {}).get("at_unix_s")
    header["watched_until_unix_s"] = now_unix_s
    header["ended"], header["ended_because"] = ended.replace("unstarted", "failed"), because
    write_json(folder / "run.json", header)
    append_event(folder, "closed", at_unix_s=now_unix_s)


def _remedy_for(because: str, folder: Path) -> str:
    if "not ready within" in because or "master ended" in because:
        return f"See {folder}/locust/*.log."
    if "not all workers came" in because:
        return "kubectl get pods and kubectl describe tell why they did not start; fewer or smaller ones may find room."
    return remedy_for(because)
