"""The generator short of something, by real cause: connections, file handles, a processor of its own. And without."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from loadtest.verdicts import conclude
from tests.end_to_end.driving import driven, findings, laid_out, outcomes
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

IMPATIENT = """\
from scenarios.workload import Request, Workload

IMPATIENT = Workload(
    name="impatient", requests=(Request(name="root", weight=1, method="GET", path="/", timeout_s=1.0),)
)
"""
# Real time, since no scheduler may then give the worker its processor any sooner: fair ones differ in that by kernel.
TAKES_TURNS = """\
import os, time
os.sched_setaffinity(0, {0})
os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
print("takes turns", flush=True)
while True:
    until_s = time.monotonic() + 0.06
    while time.monotonic() < until_s:
        pass
    time.sleep(0.03)
"""


async def in_a_tenth(_line: str, _number: int) -> bytes:
    await asyncio.sleep(0.1)
    return an_answer()


async def and_close(_line: str, _number: int) -> bytes:
    return an_answer(headers="Connection: close\r\n")


def laid_out_impatient(folder: Path, url: str, *, connections: int) -> None:
    (folder / "own.py").write_text(IMPATIENT)
    sending = f"{{connections: {connections}}}"
    laid_out(folder, url, WORKLOAD="own.py:IMPATIENT", WORKERS="1", SENDING=sending)


def test_too_few_connections_show_as_lag_and_leave_nothing_to_hold_against_the_platform(tmp_path: Path) -> None:
    with CountingServer(in_a_tenth) as server:
        laid_out_impatient(tmp_path, server.url, connections=7)  # 70 requests a second of the 120 that are due
        verdict = driven(tmp_path)
    assert findings(verdict).keys() == {"schedule-lag", "load-shortfall"}  # what waited was written after the hold
    assert set(outcomes(verdict).values()) == {"unproven"}


def test_arrivals_that_a_frozen_worker_could_not_send_in_time_are_found_and_never_sent(tmp_path: Path) -> None:
    def freeze(workers: list[psutil.Process]) -> None:
        time.sleep(0.5)
        os.kill(workers[0].pid, signal.SIGSTOP)
        time.sleep(2.5)  # shorter than a silence, longer than the requests' time-out
        os.kill(workers[0].pid, signal.SIGCONT)

    with CountingServer() as server:
        laid_out_impatient(tmp_path, server.url, connections=16)
        verdict = driven(tmp_path, meanwhile=freeze)
    assert "unsent-arrivals" in findings(verdict)
    assert "worker-lost" not in findings(verdict)
    assert "missed" not in outcomes(verdict).values()


def test_enough_connections_show_neither_and_a_record_that_lost_service_times_breaks_littles_law(
    tmp_path: Path,
) -> None:
    with CountingServer(in_a_tenth) as server:
        laid_out_impatient(tmp_path, server.url, connections=32)
        verdict = driven(tmp_path)
    assert findings(verdict) == {}
    assert set(outcomes(verdict).values()) == {"met"}
    (run,) = tmp_path.glob("results/*")
    lines = (run / "load.hlog").read_text().splitlines(keepends=True)
    service = [line for line in lines if line.startswith("Tag=golive.service,")]
    (run / "load.hlog").write_text("".join(line for line in lines if line not in service[::2]))
    (run / "manifest.json").unlink()  # which would tell of it, too: here the figures must
    damaged = conclude(run)
    assert [finding.kind.value for finding in damaged.findings] == ["littles-law"]
    assert {one.outcome.value for one in damaged.judgements} == {"unproven"}


def test_a_worker_without_file_handles_is_found_and_still_reports(tmp_path: Path) -> None:
    def take_away(workers: list[psutil.Process]) -> None:
        workers[0].rlimit(psutil.RLIMIT_NOFILE, (3, 3))

    with CountingServer(and_close) as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path, meanwhile=take_away)
    assert findings(verdict).keys() == {"file-handles-exhausted"}
    assert outcomes(verdict)["error-rate"] == outcomes(verdict)["p95-latency"] == "unproven"


@contextmanager
def one_that_takes_the_first_processor() -> Iterator[None]:
    """For 60 ms of every 90, whoever wants it; skips where no process may have real-time priority."""
    running = subprocess.Popen(
        [sys.executable, "-c", TAKES_TURNS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        if not running.stdout.readline():
            pytest.skip(f"no process may take a processor at real-time priority here: {running.communicate()[1]}")
        yield
    finally:
        running.kill()
        running.communicate()


@pytest.mark.alone  # what takes the worker's processor takes it from everybody
def test_a_worker_whose_processor_others_take_knows_it_by_an_idle_timer(tmp_path: Path) -> None:
    def crowd(workers: list[psutil.Process]) -> None:
        for worker in workers:
            for thread in worker.threads():
                os.sched_setaffinity(thread.id, {0})

    with CountingServer() as server, one_that_takes_the_first_processor():
        laid_out(tmp_path, server.url, THRESHOLDS="{}")
        verdict = driven(tmp_path, meanwhile=crowd)
    assert "machine-contention" in findings(verdict)
    assert "missed" not in outcomes(verdict).values()
