"""One process of the stage: what it says is kept, and its end is told with its last words."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtest.rehearsal.part import Part
from scenarios.errors import StageFailed

pytestmark = pytest.mark.slow

LISTENS = """
import socket, time
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
time.sleep(60)
"""


@contextmanager
def running(code: str, folder: Path) -> Iterator[Part]:
    part = Part.start("part", [sys.executable, "-c", code], folder=folder)
    try:
        yield part
    finally:
        part.end(until_s=time.monotonic())


def test_a_part_that_ends_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    code = "print('one'); import sys; sys.exit('no disk')"
    with (
        running(code, tmp_path) as part,
        pytest.raises(StageFailed, match=r"status 1 before it listens\.\none\nno disk"),
    ):
        part.wait_until(lambda: False, within_s=10, what="it listens")


def test_a_part_that_is_late_is_told(tmp_path: Path) -> None:
    with (
        running("import time; time.sleep(60)", tmp_path) as part,
        pytest.raises(StageFailed, match="did not reach this within 0 s: it listens"),
    ):
        part.wait_until(lambda: False, within_s=0.1, what="it listens")


def test_a_line_counts_when_it_is_complete(tmp_path: Path) -> None:
    code = "import time; print('warning'); print('{\"a\"', end='', flush=True); time.sleep(60)"
    with running(code, tmp_path) as part:
        part.wait_until(lambda: "{" in part.last_words(), within_s=10, what="it says something")
        assert part.first_line("{") is None
        assert part.first_line("warn") == "warning"


def test_only_its_own_socket_says_that_a_part_listens(tmp_path: Path) -> None:
    with running(LISTENS, tmp_path) as part, socket.create_server(("127.0.0.1", 0)) as others:
        part.wait_until(lambda: bool(part.first_line("")), within_s=10, what="it listens")
        assert part.listens_at(f"127.0.0.1:{part.first_line('')}")
        assert not part.listens_at(f"127.0.0.1:{others.getsockname()[1]}")
    assert not part.listens_at(f"127.0.0.1:{part.first_line('')}")


def test_a_part_that_does_not_end_when_asked_is_made_to(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    with running(code, tmp_path) as part:
        part.wait_until(lambda: bool(part.first_line("deaf")), within_s=10, what="it is deaf")
        part.ask_to_end()
        part.end(until_s=time.monotonic() + 0.2)
        assert part.process.returncode == -9
