"""The run's processes, for real: Locust's master and workers, killed, frozen, late; every acknowledged count exact."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from analysis.evidence import assemble
from analysis.results import read_record
from loadtest.conduct import Surroundings, conduct
from loadtest.loopback import free_port
from loadtest.processes import LocustProcesses, WebUi
from loadtest.run_orders import request_stop
from loadtest.versions import own_versions
from scenarios.plan import Plan
from slo.findings import find
from tests.http_server import CountingServer
from tests.loadtest.builders import a_plan

pytestmark = pytest.mark.slow


@dataclass
class Conducted:
    """A run that has ended, and what its server saw."""

    folder: Path
    ended: str
    server: CountingServer

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]

    def total(self, field: str, worker: int | None = None) -> int:
        lines = map(json.loads, (self.folder / "seconds.jsonl").read_text().splitlines())
        return sum(line[field] for line in lines if worker in (None, line["worker"]))

    def locust_totals(self) -> tuple[int, int]:
        with (self.folder / "locust" / "stats_stats.csv").open() as file:
            total = next(row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
        return int(total["Request Count"]), int(total["Failure Count"])


def found_in(run: Conducted) -> set[str]:
    """What the run's record says against its measurement; the machine's own noise left aside."""
    record = read_record(run.folder)
    evidence, measurement = assemble(record)
    noisy = replace(record.plan.thresholds, lag_p99_ms=500.0, control_timer_p99_ms=500.0)
    return {finding.kind.value for finding in find(measurement, evidence, noisy)}


def plan_at(url: str, **changes: Any) -> Plan:
    plan = a_plan(**{"duration_s": 12.0, "rps": 200.0, "workers": 2, **changes})
    return replace(plan, target=replace(plan.target, url=url))


def conducted(
    plan: Plan,
    folder: Path,
    server: CountingServer,
    *,
    meanwhile: Callable[[list[int], Path], None] | None = None,
    ui: WebUi | None = None,
) -> Conducted:
    """Conduct a plan; `meanwhile` runs beside it with the processes' ids (the master's first)."""
    pids: list[int] = []
    around = Surroundings(folder=folder, rehearsal=True, versions=own_versions(), watched=pids.append, ui=ui)
    beside = threading.Thread(target=meanwhile, args=(pids, folder)) if meanwhile else None
    if beside:
        beside.start()
    ended = conduct(plan, around)
    if beside:
        beside.join()
    return Conducted(folder, ended, server)


def once_loading(folder: Path, seconds: float = 3.0) -> None:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        events = folder / "events.jsonl"
        if events.exists() and '"phase_started"' in events.read_text():
            time.sleep(seconds)
            return
        time.sleep(0.05)
    pytest.fail("the load did not begin")


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


def test_engine_record_locust_and_server_count_the_same(tmp_path: Path, server: CountingServer) -> None:
    run = conducted(plan_at(server.url, duration_s=5.0), tmp_path / "run", server)
    assert run.ended == "complete"
    assert run.total("due") == run.total("ok") == 1000
    assert run.locust_totals() == (1000, 0)
    assert server.total == 1000
    assert found_in(run) == set()


def test_a_killed_worker_is_named_and_every_acknowledged_count_is_exact(tmp_path: Path, server: CountingServer) -> None:
    def kill_one(pids: list[int], folder: Path) -> None:
        once_loading(folder, 4.0)
        os.kill(pids[1], signal.SIGKILL)

    run = conducted(plan_at(server.url), tmp_path / "run", server, meanwhile=kill_one)
    lost = run.events("worker_lost")
    assert len(lost) == 1
    survivor, victim = 1 - lost[0]["worker"], lost[0]["worker"]
    assert run.total("ok", survivor) == 1200
    # The server saw what the victim sent after its last acknowledged delta: at most 3 s of its 100 rps.
    unacknowledged = server.total - run.total("ok")
    assert 0 <= unacknowledged <= 300
    assert 0 < run.total("ok", victim) < 600
    assert run.locust_totals()[0] == run.total("sent")
    assert found_in(run) == {"worker-lost", "load-shortfall"}


def test_a_frozen_worker_does_not_make_up_for_lost_time_when_it_thaws(tmp_path: Path, server: CountingServer) -> None:
    def freeze_one(pids: list[int], folder: Path) -> None:
        once_loading(folder)
        os.kill(pids[1], signal.SIGSTOP)
        time.sleep(6)
        os.kill(pids[1], signal.SIGCONT)

    run = conducted(plan_at(server.url, duration_s=14.0), tmp_path / "run", server, meanwhile=freeze_one)
    assert any("lease ended" in event["because"] for event in run.events("worker_lost"))
    frozen = next(event["worker"] for event in run.events("worker_lost"))
    assert run.total("sent", frozen) < 600
    assert run.total("sent", 1 - frozen) == 1400


def test_when_the_master_is_lost_the_load_stops_within_five_seconds(tmp_path: Path, server: CountingServer) -> None:
    killed_s: list[float] = []

    def kill_master(pids: list[int], folder: Path) -> None:
        once_loading(folder)
        os.kill(pids[0], signal.SIGKILL)
        killed_s.append(time.monotonic())

    plan = plan_at(server.url, duration_s=30.0)
    processes_end_s = LocustProcesses.end

    def end_late(self: LocustProcesses, *, grace_s: float) -> None:
        time.sleep(6)  # nobody ends the workers: the lease alone must
        processes_end_s(self, grace_s=grace_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocustProcesses, "end", end_late)
        run = conducted(plan, tmp_path / "run", server, meanwhile=kill_master)
    assert run.ended == "failed"
    assert max(server.at_s) - killed_s[0] < 5.0
    assert "master-lost" in found_in(run)


def test_a_terminated_master_still_takes_in_the_last_counts(tmp_path: Path, server: CountingServer) -> None:
    def terminate(pids: list[int], folder: Path) -> None:
        once_loading(folder)
        os.kill(pids[0], signal.SIGTERM)

    run = conducted(plan_at(server.url, duration_s=30.0), tmp_path / "run", server, meanwhile=terminate)
    assert len(run.events("worker_drained")) == 2
    assert run.total("ok") == server.total == run.locust_totals()[0]


def test_the_tail_of_a_slow_platform_is_not_lost(tmp_path: Path) -> None:
    import asyncio

    async def slow(_line: str, _number: int) -> bytes:
        await asyncio.sleep(1.5)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    with CountingServer(slow) as server:
        plan = plan_at(server.url, duration_s=4.0, timeout_s=5.0)
        run = conducted(plan, tmp_path / "run", server)
        assert run.total("ok") == 800 == server.total
        assert run.locust_totals() == (800, 0)


def test_golive_stop_ends_the_load_within_five_seconds(tmp_path: Path, server: CountingServer) -> None:
    asked_s: list[float] = []

    def stop(_pids: list[int], folder: Path) -> None:
        once_loading(folder)
        asked_s.append(time.monotonic())
        request_stop(folder, by="the test")

    run = conducted(plan_at(server.url, duration_s=60.0), tmp_path / "run", server, meanwhile=stop)
    assert run.ended == "stopped"
    assert run.events("stop_requested")[0]["by"] == "the test"
    assert max(server.at_s) - asked_s[0] < 5.0


def test_a_late_worker_is_named_and_sent_home(tmp_path: Path, server: CountingServer) -> None:
    def join_late(pids: list[int], folder: Path) -> None:
        once_loading(folder)
        arguments = psutil.Process(pids[1]).cmdline()
        late = LocustProcesses(folder, lambda _pid: None)._spawn("late", arguments[arguments.index("--worker") :], None)
        assert late.wait(20) == 0

    run = conducted(plan_at(server.url, duration_s=15.0), tmp_path / "run", server, meanwhile=join_late)
    assert len(run.events("worker_late")) == 1
    assert found_in(run) == {"worker-late"}
    assert run.total("ok") == server.total == 3000


def test_failed_requests_do_not_fail_the_processes(tmp_path: Path) -> None:
    from tests.http_server import an_answer

    async def half_bad(_line: str, number: int) -> bytes:
        return an_answer(503 if number % 4 == 0 else 200)

    with CountingServer(half_bad) as server:
        run = conducted(plan_at(server.url, duration_s=4.0), tmp_path / "run", server)
    assert run.ended == "complete"
    requests, failures = run.locust_totals()
    assert (requests, failures) == (run.total("sent"), run.total("sent") - run.total("ok"))
    assert failures == 200


def test_the_web_ui_asks_for_the_password_and_tells_the_same_totals(tmp_path: Path, server: CountingServer) -> None:
    ui = WebUi(port=free_port(), password="open sesame")
    seen: dict[str, Any] = {}

    def visit(pids: list[int], folder: Path) -> None:
        once_loading(folder, 5.0)
        seen["command lines"] = [" ".join(psutil.Process(pid).cmdline()) for pid in pids]
        base = f"http://127.0.0.1:{ui.port}"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        seen["stranger"] = browser.open(base + "/stats/requests").geturl()
        for password in ("wrong", ui.password):
            form = urllib.parse.urlencode({"username": "golive", "password": password}).encode()
            seen[password] = browser.open(base + "/golive-login", data=form).geturl()
        # A second start of the shape is refused: the load is the plan's.
        form = urllib.parse.urlencode({"user_count": 9999, "spawn_rate": 9999}).encode()
        browser.open(base + "/swarm", data=form).close()
        time.sleep(4)
        seen["stats"] = json.loads(browser.open(base + "/stats/requests").read())

    plan = plan_at(server.url, duration_s=15.0)
    run = conducted(plan, tmp_path / "run", server, meanwhile=visit, ui=ui)
    assert seen["stranger"].endswith("/login?next=%2Fstats%2Frequests")
    assert seen["wrong"].endswith("/login")
    assert seen["open sesame"].endswith("/")
    total = next(row for row in seen["stats"]["stats"] if row["name"] == "Aggregated")
    assert 0 < total["num_requests"] < 3000
    assert run.ended == "complete"
    assert run.total("ok") == server.total == run.locust_totals()[0] == 3000
    assert seen["command lines"]
    assert not [line for line in seen["command lines"] if ui.password in line]


def test_nothing_of_a_run_is_left_running(tmp_path: Path, server: CountingServer) -> None:
    pids: list[int] = []
    around = Surroundings(folder=tmp_path / "run", rehearsal=True, versions=own_versions(), watched=pids.append)
    conduct(plan_at(server.url, duration_s=2.0), around)
    assert len(pids) == 3
    assert not [pid for pid in pids if psutil.pid_exists(pid)]
