"""`golive check-plan`, the command itself: mistakes without load, then one request of each kind, and its exit codes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.driving import GOLIVE
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

WORKLOAD = """
from scenarios.workload import Capture, Captured, Flow, Request, Step, Text, Workload
FIRST = Request(name="first", method="GET", path="/", captures=(Capture.json("id", "/id"),))
THEN = Request(name="then", method="GET", path=Text(("/", Captured("{used}"))))
MINE = Workload(name="mine", flows=(Flow(name="f", weight=1, steps=(Step(FIRST), Step(THEN))),))
"""


def check_plan(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run([GOLIVE, "check-plan", *words], cwd=folder, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def with_target(folder: Path, url: str, *, used: str = "id") -> tuple[str, ...]:
    (folder / "targets.yaml").write_text(f"- {{name: mine, url: '{url}', target_class: staging}}\n")
    (folder / "mine.py").write_text(WORKLOAD.format(used=used))
    return ("smoke", "--workload", "mine.py", "--target", "mine")


def test_the_shipped_journey_works_at_the_rehearsal(tmp_path: Path) -> None:
    code, said = check_plan(tmp_path, "journey", "--rehearsal", "small")
    assert code == 0, said
    assert "captured reservation = " in said
    assert "All 6 answered as expected." in said


def test_a_platform_that_loses_what_it_accepts_is_found_out(tmp_path: Path) -> None:
    lossy = ("--rehearsal", "small", "--change", "faults.effects={reservations-command: {lost: 1}}")
    code, said = check_plan(tmp_path, "journey", *lossy)
    assert code == 1
    assert 'effect missing: /status is "pending", not "done"' in said
    assert "booking/pay        not sent" in said


def test_a_mistake_in_the_workload_is_told_and_nothing_is_sent(tmp_path: Path) -> None:
    with CountingServer() as server:
        code, said = check_plan(tmp_path, *with_target(tmp_path, server.url, used="ib"))
        assert (code, server.total) == (2, 0)
    assert "flow 'f', step 'then': uses 'ib', which no step before it captures. Did you mean 'id'?" in said
    assert "Traceback" not in said


def test_a_target_is_tried_with_exactly_one_request_a_step(tmp_path: Path) -> None:
    async def answer(_line: str, _number: int) -> bytes:
        return an_answer(body=b'{"id": 7}')

    with CountingServer(answer) as server:
        code, said = check_plan(tmp_path, *with_target(tmp_path, server.url))
        assert (code, dict(server.requests)) == (0, {"GET /": 1, "GET /7": 1}), said
        assert check_plan(tmp_path, *with_target(tmp_path, server.url), "--offline")[0] == 0
        assert server.total == 2
    assert max(map(len, said.splitlines())) <= 80


def test_a_target_that_is_down_is_no_mistake_of_the_plan(tmp_path: Path) -> None:
    code, said = check_plan(tmp_path, *with_target(tmp_path, "http://127.0.0.1:9"))
    assert code == 4
    assert "mine cannot be used: connection refused" in said
    assert "Traceback" not in said
