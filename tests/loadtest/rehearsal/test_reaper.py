"""The reaper ends what it was told of, and nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.rehearsal.reaper import reap, start_time


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_when_the_pipe_ends_the_watched_process_ends_and_the_folder_goes(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    reap(iter([f"watch {sleeper.pid} {start_time(sleeper.pid)}\n", f"folder {folder}\n"]))
    assert sleeper.wait(5) != 0
    assert not folder.exists()


def test_after_done_nothing_is_touched(sleeper: subprocess.Popen[bytes]) -> None:
    reap(iter([f"watch {sleeper.pid} {start_time(sleeper.pid)}\n", "done\n"]))
    assert sleeper.poll() is None


def test_a_process_id_that_now_is_somebody_elses_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    reap(iter([f"watch {sleeper.pid} 12345\n"]))
    assert sleeper.poll() is None


def test_a_process_that_ignores_the_request_is_made_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtest.rehearsal.reaper.GRACE_S", 0.5)
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as stubborn:
        assert stubborn.stdout
        stubborn.stdout.readline()
        reap(iter([f"watch {stubborn.pid} {start_time(stubborn.pid)}\n"]))
        assert stubborn.wait(5) == -9


def test_the_start_time_of_nobody_is_empty() -> None:
    assert start_time(2**22 + 1) == ""
    assert start_time(os.getpid()) == start_time(os.getpid()) != ""
