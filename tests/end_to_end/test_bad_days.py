"""Bad days, at the command line: a clear message with a remedy, the right exit code, and a record that can be read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.runs import NOISY
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

GOLIVE = Path(sys.executable).with_name("golive")
PLAN = """\
# a short run for the tests
workload: get-root
objectives: smoke
rate_to_prove_rps: 50
offered_ratio: 1.2
phases:
  - {name: ramp, duration: 1s, from_share: 0, to_share: 1, judged: false}
  - {name: hold, duration: HOLD, from_share: 1, to_share: 1}
watch_after: 1s
"""


@dataclass
class Place:
    """A folder with a plan and a list of targets, to run golive in."""

    folder: Path

    def plan(self, hold: str = "12s") -> None:
        (self.folder / "short.yaml").write_text(PLAN.replace("HOLD", hold) + NOISY)

    def lists(self, url: str) -> None:
        (self.folder / "targets.yaml").write_text(f'- {{name: here, url: "{url}", target_class: rehearsal}}\n')

    def golive(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [GOLIVE, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=150, check=False
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [GOLIVE, *arguments], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip

    def runs(self) -> list[Path]:
        return sorted(self.folder.glob("results/*"))

    def once_loading(self) -> Path:
        deadline_s = time.monotonic() + 40
        while time.monotonic() < deadline_s:
            for run in self.runs():
                if (run / "seconds.jsonl").exists() and (run / "seconds.jsonl").stat().st_size:
                    return run
            time.sleep(0.1)
        pytest.fail("the load did not begin")

    def findings(self) -> set[str]:
        content = json.loads((self.runs()[-1] / "verdict.json").read_text())
        return {finding["kind"] for finding in content["findings"]}

    def verdict(self) -> dict[str, str]:
        content = json.loads((self.runs()[-1] / "verdict.json").read_text())
        return {"run": content["outcome"], **{one["objective"]: one["outcome"] for one in content["judgements"]}}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.plan()
    return place


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with CountingServer() as server:
        yield server


def test_a_target_that_is_not_listed_gets_no_packet(place: Place, server: CountingServer) -> None:
    done = place.golive("run", "short.yaml", "--target", server.url)
    assert done.returncode == 2
    assert f'url: "{server.url}"' in done.stderr
    assert (server.total, place.runs()) == (0, [])


def test_a_production_target_is_refused(place: Place, server: CountingServer) -> None:
    entry = f'- {{name: live, url: "{server.url}", target_class: production}}\n'
    (place.folder / "targets.yaml").write_text(entry)
    done = place.golive("run", "short.yaml", "--target", "live")
    assert (done.returncode, server.total) == (2, 0)
    assert "production" in done.stderr


def test_a_target_that_is_down_is_told_before_anything_is_recorded(place: Place) -> None:
    with CountingServer() as gone:
        place.lists(gone.url)
    done = place.golive("run", "short.yaml", "--target", "here")
    assert done.returncode == 4
    assert "takes no connection: Connection refused" in done.stderr
    assert "Remedy:" in done.stderr
    assert place.runs() == []


@pytest.mark.parametrize("mistake", ["--rate -5", "--duration tomorrow", "--workload nothing", "--rehearsal nowhere"])
def test_a_command_line_that_cannot_be_is_refused(place: Place, mistake: str) -> None:
    done = place.golive("run", "short.yaml", *mistake.split())
    assert done.returncode == 2
    assert "Remedy:" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_prometheus_what_only_it_could_prove_is_unproven(place: Place, server: CountingServer) -> None:
    place.lists(server.url)
    done = place.golive("run", "short.yaml", "--target", "here")
    assert done.returncode == 3
    verdict = place.verdict()
    assert (verdict["run"], verdict["backlog"], verdict["scaling"]) == ("not proven", "unproven", "unproven")
    assert (verdict["throughput"], verdict["error-rate"]) == ("met", "met")


async def hangs(_line: str, _number: int) -> bytes:
    await asyncio.sleep(60)
    return b""


async def speaks_nonsense(_line: str, _number: int) -> bytes:
    return b"\x16\x03\x01nonsense\r\n\r\n"


async def is_broken(_line: str, _number: int) -> bytes:
    return an_answer(500)


async def sends_elsewhere(_line: str, _number: int) -> bytes:
    return an_answer(302, headers="Location: http://192.0.2.1/\r\n")


async def answers_30_megabytes(_line: str, _number: int) -> bytes:
    return an_answer(body=b"x" * 30_000_000)


async def hangs_up(_line: str, _number: int) -> bytes:
    raise ConnectionResetError


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (hangs, "timeout wait"),
        (speaks_nonsense, "malformed"),
        (is_broken, "status 500"),
        (sends_elsewhere, "redirect"),
        (answers_30_megabytes, "too large"),
        (hangs_up, "reset"),
    ],
)
def test_a_bad_target_ends_the_run_early_and_is_named_by_kind(
    place: Place, answer: Callable[[str, int], Awaitable[bytes]], kind: str
) -> None:
    place.plan(hold="60s")
    with CountingServer(answer) as bad:
        place.lists(bad.url)
        done = place.golive("run", "short.yaml", "--target", "here", "--rate", "20")
    assert done.returncode == 1
    assert kind in done.stdout
    assert place.verdict()["error-rate"] == "missed"
    events = (place.runs()[-1] / "events.jsonl").read_text()
    assert '"event":"abort"' in events
    assert (place.runs()[-1] / "report.html").exists()


def test_ctrl_c_ends_the_load_and_still_judges(place: Place, server: CountingServer) -> None:
    place.plan(hold="120s")
    place.lists(server.url)
    running = place.start("run", "short.yaml", "--target", "here")
    place.once_loading()
    os.kill(running.pid, signal.SIGINT)
    said, _ = running.communicate(timeout=40)
    assert running.returncode == 130
    assert "NOT PROVEN" in said
    assert (place.runs()[-1] / "report.html").exists()


def test_ctrl_c_twice_ends_everything_at_once(place: Place, server: CountingServer) -> None:
    place.plan(hold="120s")
    place.lists(server.url)
    running = place.start("run", "short.yaml", "--target", "here")
    run = place.once_loading()
    children = psutil.Process(running.pid).children(recursive=True)
    os.kill(running.pid, signal.SIGINT)
    time.sleep(0.1)
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=15)
    assert running.returncode == 130
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert place.golive("judge", str(run)).returncode == 3


def test_golive_killed_leaves_no_process_and_a_record_that_can_be_judged(place: Place, server: CountingServer) -> None:
    place.plan(hold="120s")
    place.lists(server.url)
    running = place.start("run", "short.yaml", "--target", "here")
    run = place.once_loading()
    children = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate()
    _, alive = psutil.wait_procs(children, timeout=12)
    assert alive == []
    judged = place.golive("judge", str(run))
    assert judged.returncode == 3
    assert "NOT PROVEN" in judged.stdout
    assert (run / "report.html").exists()
    assert "cut-short" in place.findings()


def test_golive_stop_ends_a_run_from_elsewhere(place: Place, server: CountingServer) -> None:
    place.plan(hold="120s")
    place.lists(server.url)
    running = place.start("run", "short.yaml", "--target", "here")
    run = place.once_loading()
    asked_s = time.monotonic()
    stopped = place.golive("stop", run.name)
    assert stopped.returncode == 0
    assert time.monotonic() - asked_s < 8
    running.communicate(timeout=40)
    assert running.returncode == 3
    assert "cut-short" in place.findings()


def test_a_prometheus_that_does_not_answer_proves_nothing_and_delays_nothing(
    place: Place, server: CountingServer
) -> None:
    place.lists(server.url)
    began_s = time.monotonic()
    done = place.golive("run", "short.yaml", "--target", "here", "--prometheus", "http://127.0.0.1:9")
    assert done.returncode == 3
    assert time.monotonic() - began_s < 60
    assert place.verdict()["scaling"] == "unproven"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount: " + mounted.stderr.decode().strip())
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_fills_up_ends_the_run_with_a_clear_word(
    place: Place, server: CountingServer, small_disk: Path
) -> None:
    place.plan(hold="60s")
    place.lists(server.url)
    (place.folder / "results").symlink_to(small_disk)
    running = place.start("run", "short.yaml", "--target", "here")
    run = place.once_loading()
    with (small_disk / "filler").open("wb") as filler:
        try:
            while True:
                filler.write(b"x" * 1_000_000)
                filler.flush()
        except OSError:
            pass
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 4
    assert "No space left on device" in said
    assert "Remedy:" in said
    (small_disk / "filler").unlink()
    assert place.golive("judge", str(run)).returncode == 3
    assert {"record-gap", "cut-short"} <= place.findings()
