"""One run of golive as a user's run is conducted: Locust's master and one worker with the engine in it."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from hdrh.histogram import HdrHistogram

from loadtest.conduct import Surroundings, conduct
from loadtest.versions import own_versions
from scenarios.answers import BodyAtMost, HeaderEquals
from scenarios.errors import HarnessError
from scenarios.plan import Plan, Sending
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.transport import ConnectionPolicy
from scenarios.values import Choice, RandomInt, Text, Uuid
from scenarios.workload import Request, Workload
from tests.bench_peers.account import Account
from tests.bench_peers.cores import GENERATOR_CORE, TARGET_CORE
from tests.bench_peers.load import Load, Reported, ToolFailed
from tests.bench_peers.target import Watched

NAME = "golive"
TEMPLATED = "golive, templated with checks"
NAMES = (NAME, TEMPLATED)
REQUEST = "home"
LAG = "golive.lag"


@dataclass(slots=True)
class Processes:
    """The run's processes as they appear: the master first, put beside the target; then the worker."""

    master: Account = field(default_factory=Account)
    worker: Account = field(default_factory=Account)

    def watched(self, pid: int) -> None:
        """Pin a process before it has a second thread."""
        account, core = (self.worker, GENERATOR_CORE) if self.master.pids else (self.master, TARGET_CORE)
        os.sched_setaffinity(pid, {core})
        account.pids.append(pid)


STATIC_REQUEST = Request(name=REQUEST, weight=1, method="GET", path="/")
# Fresh values in every request and the answer looked at, as a real workload has them.
TEMPLATED_REQUEST = Request(
    name=REQUEST,
    weight=1,
    method="GET",
    path=Text(("/rooms/", RandomInt(at_least=1, at_most=500_000))),
    headers={
        "Authorization": Text(("Bearer ", Choice(tuple(f"token-{number:04d}" for number in range(1000))))),
        "X-Request-ID": Uuid(),
        "X-Idempotency-Key": Uuid(),
    },
    checks=(BodyAtMost(64_000), HeaderEquals("Content-Type", "application/json")),
)


def run_golive(load: Load, target: Watched, name: str = NAME) -> tuple[Reported, Account, float]:
    """Conduct a run; the account is the worker's (Locust included), the last figure the master's CPU in all."""
    processes = Processes()
    target.on_first_request = processes.worker.note_first_request
    folder = load.folder / "run"
    around = Surroundings(folder=folder, rehearsal=True, versions=own_versions(), watched=processes.watched)
    try:
        with processes.master.open(), processes.worker.open():
            ended = conduct(plan_of(load, name), around)
    except HarnessError as wrong:
        raise ToolFailed(f"golive did not begin: {str(wrong).splitlines()[0]}") from wrong
    if ended == "interrupted":
        raise KeyboardInterrupt  # a run takes Ctrl-C for itself; here it is meant for the bench
    return read(folder, ended), processes.worker, processes.master.used_at(math.inf)


def plan_of(load: Load, name: str = NAME) -> Plan:
    """The load as a plan: one request, one hold, everything else as golive comes; without a rate a closed loop."""
    rate_rps = float(load.offered_rps or 1)
    request = TEMPLATED_REQUEST if name == TEMPLATED else STATIC_REQUEST
    return Plan(
        name="bench-peers",
        workload=Workload(name="one", requests=(request,)),
        profile=Profile(
            phases=(Phase(name="hold", duration_s=float(load.seconds), from_rps=rate_rps, to_rps=rate_rps),)
        ),
        target=Target(name="bench-target", url=load.url.rstrip("/"), target_class=TargetClass.REHEARSAL),
        objectives=(),
        rate_to_prove_rps=rate_rps,
        sending=Sending(
            connections=load.connections,
            arrivals="constant" if load.offered_rps else "closed",
            connection=multiplexed(load.streams) if load.streams else ConnectionPolicy(),
        ),
        watch_after_s=0.0,
    )


def multiplexed(streams: int) -> ConnectionPolicy:
    """HTTP/2 with so many requests at a time on each connection."""
    return ConnectionPolicy(http="2", streams_per_connection=streams)


def read(folder: Path, ended: str) -> Reported:
    """Its record: counts by second, latency and lag as histograms."""
    counts = [json.loads(line) for line in (folder / "seconds.jsonl").read_text().splitlines()]
    due, ok = (sum(line[field] for line in counts) for field in ("due", "ok"))
    latency, lag = histogram(folder, REQUEST), histogram(folder, LAG)
    at_ms = {percent: latency.get_value_at_percentile(percent) / 1e3 for percent in (50, 99, 99.9)}
    return Reported(
        ok=ok,
        failed=due - ok,
        p50_ms=at_ms[50],
        p99_ms=at_ms[99],
        p999_ms=at_ms[99.9],
        lag_p50_ms=lag.get_value_at_percentile(50) / 1e3,
        lag_p99_ms=lag.get_value_at_percentile(99) / 1e3,
        note="" if ended == "complete" else f"ended: {ended}",
    )


def histogram(folder: Path, tag: str) -> HdrHistogram:
    """Every interval of one tag in the record's log, added up."""
    total = HdrHistogram(1, 60_000_000, 3)
    for line in (folder / "load.hlog").read_text().splitlines():
        if line.startswith(f"Tag={tag},"):
            total.decode_and_add(line.rsplit(",", 1)[1])
    return total
