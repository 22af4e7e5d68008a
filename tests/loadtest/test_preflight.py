"""What keeps a run from starting, before anything is sent."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from loadtest import preflight
from loadtest.loopback import HeldPort
from loadtest.rundown import hold_metrics_port
from scenarios.errors import PreflightFailed, UsageError
from tests.loadtest.builders import a_plan


def test_a_target_that_listens_is_reachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        preflight.check_reachable(f"http://127.0.0.1:{server.getsockname()[1]}/base")


def test_a_target_that_is_down_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(PreflightFailed, match=rf"127\.0\.0\.1:{port} takes no connection: Connection refused"):
        preflight.check_reachable(f"http://127.0.0.1:{port}")


def test_a_disk_without_room_for_the_record_is_refused() -> None:
    plan = a_plan(duration_s=3600.0)
    preflight.check_disk(plan, free_bytes=10**9, where=Path("results"))
    with pytest.raises(PreflightFailed, match="MB left"):
        preflight.check_disk(plan, free_bytes=10**6, where=Path("results"))


def test_room_is_left_beside_the_record_for_whatever_else_writes_there() -> None:
    plan = a_plan(duration_s=1.0)
    preflight.check_disk(plan, free_bytes=preflight.SPARE_BYTES + 10**6, where=Path("results"))
    with pytest.raises(PreflightFailed, match="MB left"):
        preflight.check_disk(plan, free_bytes=preflight.SPARE_BYTES, where=Path("results"))


def test_too_few_file_handles_are_refused() -> None:
    with pytest.raises(PreflightFailed, match="file handles"):
        preflight.raise_file_handles(10**9)


def test_a_metrics_port_that_is_taken_is_refused_before_anything_is_raised() -> None:
    taken = HeldPort.take()
    try:
        with pytest.raises(UsageError, match=f"--metrics-port {taken.number} cannot be had"):
            hold_metrics_port(taken.number)
        with pytest.raises(UsageError, match="--metrics-port 70000"):
            hold_metrics_port(70000)
    finally:
        taken.release()
