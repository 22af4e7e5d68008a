"""Each finding about the measurement, by its real cause: it takes the right outcomes, and without it none falls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.end_to_end.control_groups import a_control_group
from tests.end_to_end.driving import GOLIVE, HOLD_S, RPS, driven, findings, laid_out, outcomes, verdict_of
from tests.http_server import CountingServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CLOSING_SERVER = """
import socket, threading
server = socket.create_server(("127.0.0.1", 8000), backlog=256)
def serve(peer):
    try:
        peer.recv(4096)
        peer.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        peer.recv(1)  # golive closes first, so the port waits on its side
    finally:
        peer.close()
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


def test_without_a_cause_nothing_is_found(tmp_path: Path) -> None:
    with CountingServer() as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path)
    assert findings(verdict) == {}
    assert outcomes(verdict)["p95-latency"] == outcomes(verdict)["throughput"] == "met"


def test_a_stopped_worker_is_lost_and_takes_what_a_lighter_load_could_have_met(tmp_path: Path) -> None:
    def freeze(workers: list[psutil.Process]) -> None:
        os.kill(workers[0].pid, signal.SIGSTOP)

    with CountingServer() as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path, meanwhile=freeze)
    assert {"worker-lost", "load-shortfall"} <= findings(verdict).keys()
    seen = outcomes(verdict)
    assert seen["p95-latency"] == seen["error-rate"] == seen["throughput"] == "unproven"
    assert verdict["outcome"] == "not proven"


def test_a_worker_whose_clock_is_wrong_is_found_and_its_counts_still_line_up(tmp_path: Path) -> None:
    if not shutil.which("faketime"):
        pytest.skip("Debian's faketime is not installed: nothing here can set one process's clock")
    # Locust's workers are started as `python -m locust … --worker`: the shim gives those another clock.
    shim = tmp_path / "sitecustomize.py"
    shim.write_text(
        "import os, sys\n"
        "if '--worker' in sys.orig_argv and 'FAKETIME' not in os.environ:\n"
        "    os.environ['FAKETIME_DONT_FAKE_MONOTONIC'] = '1'\n"
        "    os.execvp('faketime', ['faketime', '-f', '+30s', *sys.orig_argv])\n"
    )
    with CountingServer() as server, pytest.MonkeyPatch.context() as patch:
        laid_out(tmp_path, server.url)
        patch.setenv("PYTHONPATH", str(tmp_path))
        verdict = driven(tmp_path)
    assert findings(verdict).keys() == {"clock-skew"}
    assert outcomes(verdict)["throughput"] == "unproven"
    assert outcomes(verdict)["error-rate"] == "met"


def test_a_generator_without_local_ports_is_found_and_takes_the_failures_it_made(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    if not all(shutil.which(tool, path=environment["PATH"]) for tool in ("ip", "sysctl", "unshare")):
        pytest.skip("ip, sysctl and unshare are needed to narrow the ports of one namespace")
    alone = ["unshare", "-n"]
    if os.geteuid() or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root can make a network namespace here")
    laid_out(tmp_path, "http://127.0.0.1:8000", SENDING="{connections: 16, connection: {keep_alive: false}}")
    (tmp_path / "server.py").write_text(CLOSING_SERVER)
    script = f"""
        ip link set lo up
        sysctl -qw net.ipv4.ip_local_port_range='40000 40399' net.ipv4.tcp_tw_reuse=0
        {sys.executable} server.py & server=$!
        sleep 1; {GOLIVE} run short.yaml --target here; kill $server
    """
    subprocess.run(
        [*alone, "sh", "-c", script], cwd=tmp_path, capture_output=True, timeout=120, env=environment, check=True
    )
    verdict = verdict_of(tmp_path)
    (events,) = tmp_path.glob("results/*/events.jsonl")
    assert "Local ports may run out" in events.read_text(), "it is told before the load"
    assert "local-ports-exhausted" in findings(verdict)
    assert outcomes(verdict)["error-rate"] == "unproven"
    assert outcomes(verdict)["throughput"] == "unproven"


def test_workers_held_back_by_a_cpu_quota_are_found_by_their_own_figures(tmp_path: Path) -> None:
    with a_control_group() as group:
        group.take_workers(tmp_path)
        with CountingServer() as server, pytest.MonkeyPatch.context() as patch:
            laid_out(tmp_path, server.url)
            patch.setenv("PYTHONPATH", str(tmp_path))
            verdict = driven(tmp_path, meanwhile=lambda _workers: group.limit())
    assert "worker-starved" in findings(verdict)
    # Starved, golive is slow: it may look like a slow platform, and never like a fast one.
    assert "missed" not in {outcomes(verdict)[name] for name in ("throughput", "p95-latency", "p99-latency")}


def test_a_worker_that_sends_more_than_its_shard_is_found(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "if '--worker' in sys.orig_argv:\n"
        "    from loadtest import _engine\n"
        "    shard_of = _engine.Engine\n"
        "    _engine.Engine = lambda plan, *, shard, shards: shard_of(plan, shard=0, shards=1)\n"
    )
    with CountingServer() as server, pytest.MonkeyPatch.context() as patch:
        laid_out(tmp_path, server.url)
        patch.setenv("PYTHONPATH", str(tmp_path))
        verdict = driven(tmp_path)
    assert (
        f"Workers had {2 * HOLD_S * RPS:,} requests due in the hold; the plan has {HOLD_S * RPS}."
        in findings(verdict)["rate-changed"]
    )
    assert set(outcomes(verdict).values()) == {"unproven"}
