"""One master as a run starts it, and fleets of simulated workers around it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.conduct import Surroundings, lay_down
from loadtest.loopback import LOOPBACK, free_port
from loadtest.processes import LocustProcesses, WebUi, WorkersElsewhere
from loadtest.versions import own_versions
from scenarios.plan import AbortLimits, Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import Request, Workload
from tests.bench_control_plane.bodies import REQUESTS

CHECKOUT = Path(__file__).parents[2]
CONNECT_WITHIN_S = 90
WAITED_FOR_S = 10.0  # so long, and three seconds more, a master waits for last reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One measurement."""

    workers: int
    rps_per_worker: int
    hold_s: int = 30
    processes: int = 1  # that the workers are shared among
    losses: dict[str, float] = field(default_factory=dict)
    ui: WebUi | None = None
    metrics: str = ""


@dataclass(slots=True)
class Seen:
    """What came of it."""

    folder: Path
    fleets: list[dict[str, Any]]
    master_log: str

    def sent(self) -> int:
        """By the workers' own account."""
        return sum(fleet["sent"] for fleet in self.fleets)

    def recorded(self) -> int:
        """By the record's."""
        with (self.folder / "seconds.jsonl").open() as lines:
            return sum(json.loads(line)["sent"] for line in lines)

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The record's events of a kind."""
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]


def a_plan(setting: Setting) -> Plan:
    """Ten requests at one rate: the simulated workers know no other."""
    rps = float(setting.workers * setting.rps_per_worker)
    hold = Phase(name="hold", duration_s=float(setting.hold_s), from_rps=rps, to_rps=rps)
    requests = tuple(Request(name=name, weight=1, method="GET", path="/", timeout_s=WAITED_FOR_S) for name in REQUESTS)
    return Plan(
        name="control-plane", workload=Workload(name="ten", requests=requests), profile=Profile(phases=(hold,)),
        target=Target(name="nowhere", url=f"http://{LOOPBACK}:9", target_class=TargetClass.REHEARSAL), objectives=(),
        rate_to_prove_rps=rps, workers=setting.workers, abort=AbortLimits(),
    )  # fmt: skip


def stand(setting: Setting, folder: Path, meanwhile: Callable[[int, Path], None]) -> Seen:
    """Run it; `meanwhile` is called again and again with the master's process id until the master has ended."""
    lay_down(a_plan(setting), Surroundings(folder=folder, rehearsal=True, versions=own_versions()))
    meeting = WorkersElsewhere(bind_host=LOOPBACK, port=free_port(), connect_within_s=CONNECT_WITHIN_S)
    processes = LocustProcesses(folder, lambda _pid: None)
    processes.start(workers=setting.workers, ui=setting.ui, elsewhere=meeting, metrics=setting.metrics)
    assert processes.master
    fleets = [_fleet(setting, folder, meeting.port, number) for number in range(setting.processes)]
    try:
        while not processes.master_ended():
            meanwhile(processes.master.pid, folder)
        for fleet, _ in fleets:
            fleet.wait(60)
    finally:
        processes.end(grace_s=5)
        for fleet, _ in fleets:
            fleet.kill()
            fleet.wait()
    told = [json.loads(result.read_text()) for _, result in fleets if result.exists()]
    return Seen(folder, told, processes.log_tail("master", 30))


def _fleet(setting: Setting, folder: Path, port: int, number: int) -> tuple[subprocess.Popen[bytes], Path]:
    first = setting.workers * number // setting.processes
    count = setting.workers * (number + 1) // setting.processes - first
    order, result = folder.with_suffix(f".fleet{number}.json"), folder.with_suffix(f".fleet{number}.result.json")
    order.write_text(json.dumps({
        "port": port, "first": first, "count": count, "rps": setting.rps_per_worker, "duration_s": setting.hold_s,
        "losses": setting.losses, "connect_within_s": CONNECT_WITHIN_S, "result": str(result),
    }))  # fmt: skip
    command = [sys.executable, "-m", "tests.bench_control_plane.fleet", str(order)]
    with folder.with_suffix(f".fleet{number}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=CHECKOUT, stdout=log, stderr=subprocess.STDOUT), result


def loading_since(folder: Path) -> float:
    """When the load began (unix); 0 before."""
    try:
        lines = (folder / "events.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return 0.0
    return next((json.loads(line)["t0_unix_s"] for line in lines if '"load_started"' in line), 0.0)


def pause() -> None:
    """Between two looks."""
    time.sleep(0.5)
