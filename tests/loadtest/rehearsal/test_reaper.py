"""The reaper ends what it was told of, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from loadtest.rehearsal.reaper import GRACE_S, Reaper, reap, start_time

pytestmark = pytest.mark.slow
NOBODY = 2**22 + 1
SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", SLEEP], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_when_the_pipe_ends_the_watched_process_ends_and_the_folder_goes(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    reap(iter([f"watch {sleeper.pid} {start_time(sleeper.pid)}\n", f"folder {folder}\n"]), golive=NOBODY)
    assert sleeper.wait(5) != 0
    assert not folder.exists()


def test_after_done_nothing_is_touched(sleeper: subprocess.Popen[bytes]) -> None:
    reap(iter([f"watch {sleeper.pid} {start_time(sleeper.pid)}\n", "done\n"]), golive=NOBODY)
    assert sleeper.poll() is None


def test_a_process_id_that_now_is_somebody_elses_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    reap(iter([f"watch {sleeper.pid} 12345\n"]), golive=NOBODY)
    assert sleeper.poll() is None


def test_a_process_that_ignores_the_request_is_made_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.rehearsal.reaper.GRACE_S", 0.5)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()
        reap(iter([f"watch {stubborn.pid} {start_time(stubborn.pid)}\n"]), golive=NOBODY)
        assert stubborn.wait(5) == -9


def test_the_start_time_of_nobody_is_empty() -> None:
    assert start_time(NOBODY) == ""
    assert start_time(os.getpid()) == start_time(os.getpid()) != ""


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    return holds()


def runs(pid: int) -> bool:
    return start_time(pid) != ""


PARENT = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
time.sleep(60 * (sys.argv[1] == "stays"))
"""


@pytest.mark.parametrize("parent", ["stays", "leaves"])
def test_what_a_watched_process_started_goes_with_it(parent: str) -> None:
    command = [sys.executable, "-c", PARENT, parent]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as leader:
        assert leader.stdout
        started = start_time(leader.pid)
        child = int(leader.stdout.readline())
        if parent == "leaves":
            leader.wait(10)
        reap(iter([f"watch {leader.pid} {started}\n"]), golive=NOBODY)
    assert within(5, lambda: not runs(child))


GOLIVE = f"""
import os, subprocess, sys, time
from pathlib import Path
from loadtest.rehearsal.reaper import Reaper

def sleeper(**options):
    return subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True, **options)

with Reaper.start() as reaper:
    folder = Path(sys.argv[1])
    reaper.folder(folder)
    watched = sleeper()
    reaper.watch(watched.pid)
    in_folder = sleeper(cwd=folder)  # and killed before it could be told of
    print(reaper.process.pid, watched.pid, in_folder.pid, flush=True)
    if sys.argv[2] == "fails":
        raise KeyboardInterrupt
    if sys.argv[2] == "is killed":
        time.sleep(60)
print(*(process.poll() for process in (reaper.process, watched, in_folder)))
watched.kill(), in_folder.kill(), watched.wait(), in_folder.wait()
"""


@pytest.mark.parametrize("end", ["is killed", "fails"])
def test_when_golive_ends_badly_its_children_go_told_of_or_not(end: str, tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    looking = subprocess.Popen([sys.executable, "-c", SLEEP], cwd=folder)  # somebody else, with a look into the folder
    command = [sys.executable, "-c", GOLIVE, str(folder), end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as golive:
        assert golive.stdout
        pids = [int(word) for word in golive.stdout.readline().split()]
        if end == "is killed":
            golive.kill()
    # Well before the grace period ends: all of them were asked, also while they got another parent.
    assert within(GRACE_S - 1, lambda: not any(map(runs, pids)) and not folder.exists())
    assert looking.poll() is None
    looking.kill()
    looking.wait()


def test_when_golive_ends_well_the_reaper_goes_and_touches_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", GOLIVE, str(tmp_path), "ends well"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert said.stdout.splitlines()[-1] == "0 None None"
    assert tmp_path.exists()


def test_the_reaper_is_deaf_to_what_ends_golive_and_keeps_no_end_of_its_pipe_open() -> None:
    with Reaper.start() as reaper:
        assert within(5, lambda: _ignored(reaper.process.pid) >= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        child = subprocess.Popen([sys.executable, "-c", SLEEP])
        assert reaper.process.stdin
        ours = os.readlink(f"/proc/self/fd/{reaper.process.stdin.fileno()}")
        held = [os.readlink(entry) for entry in Path(f"/proc/{child.pid}/fd").iterdir()]
        child.kill()
        child.wait()
        assert ours.startswith("pipe:")
        assert ours not in held
    assert not psutil.pid_exists(reaper.process.pid)


def _ignored(pid: int) -> set[signal.Signals]:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(next(line for line in status.splitlines() if line.startswith("SigIgn")).split()[1], 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}
