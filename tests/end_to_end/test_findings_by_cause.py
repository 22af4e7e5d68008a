"""Each finding about the measurement, by its real cause: it takes the right outcomes, and without it none falls."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.http_server import CountingServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

GOLIVE = Path(sys.executable).with_name("golive")
PLAN = """\
# a short run for the tests
workload: get-root
objectives: smoke
rate_to_prove_rps: 100
offered_ratio: 1.2
workers: 2
phases:
  - {name: ramp, duration: 1s, from_share: 0, to_share: 1, judged: false}
  - {name: hold, duration: 14s, from_share: 1, to_share: 1}
sending: {connections: 16}
watch_after: 1s
"""
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


def verdict_of(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("results/*/verdict.json")
    return dict(json.loads(path.read_text()))


def outcomes(verdict: dict[str, Any]) -> dict[str, str]:
    return {one["objective"]: one["outcome"] for one in verdict["judgements"]}


def findings(verdict: dict[str, Any]) -> set[str]:
    return {finding["kind"] for finding in verdict["findings"]}


def laid_out(folder: Path, url: str) -> None:
    (folder / "short.yaml").write_text(PLAN)
    (folder / "targets.yaml").write_text(f'- {{name: here, url: "{url}", target_class: rehearsal}}\n')


def driven(
    folder: Path, *, meanwhile: Callable[[list[psutil.Process]], None] = lambda _workers: None
) -> dict[str, Any]:
    """Run golive; `meanwhile` gets the worker processes once they send."""
    running = subprocess.Popen(
        [GOLIVE, "run", "short.yaml", "--target", "here"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline_s = time.monotonic() + 40
    while not [*folder.glob("results/*/seconds.jsonl")] or not any(
        file.stat().st_size for file in folder.glob("results/*/seconds.jsonl")
    ):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    children = psutil.Process(running.pid).children(recursive=True)
    meanwhile([child for child in children if "--worker" in child.cmdline()])
    running.wait(90)
    return verdict_of(folder)


def test_without_a_cause_nothing_is_found(tmp_path: Path) -> None:
    with CountingServer() as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path)
    assert findings(verdict) == set()
    assert outcomes(verdict)["p95-latency"] == outcomes(verdict)["throughput"] == "met"


def test_a_stopped_worker_is_lost_and_takes_what_a_lighter_load_could_have_met(tmp_path: Path) -> None:
    def freeze(workers: list[psutil.Process]) -> None:
        os.kill(workers[0].pid, signal.SIGSTOP)

    with CountingServer() as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path, meanwhile=freeze)
    assert {"worker-lost", "load-shortfall"} <= findings(verdict)
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
    assert findings(verdict) == {"clock-skew"}
    assert outcomes(verdict)["throughput"] == "unproven"
    assert outcomes(verdict)["error-rate"] == "met"


def test_a_generator_without_local_ports_is_found_and_takes_the_failures_it_made(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    if not all(shutil.which(tool, path=environment["PATH"]) for tool in ("ip", "sysctl", "unshare")):
        pytest.skip("ip, sysctl and unshare are needed to narrow the ports of one namespace")
    alone = ["unshare", "-n"]
    if os.geteuid() or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root can make a network namespace here")
    laid_out(tmp_path, "http://127.0.0.1:8000")
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
    assert "local-ports-exhausted" in findings(verdict)
    assert outcomes(verdict)["error-rate"] == "unproven"
    assert outcomes(verdict)["throughput"] == "unproven"


@contextmanager
def a_control_group() -> Iterator[tuple[Path, Callable[[], None]]]:
    """A CPU control group of our own (v1 or v2) without a limit yet, and how to limit it to 2 % of a core."""
    v1 = Path("/sys/fs/cgroup/cpu")
    group = (v1 if v1.is_dir() else Path("/sys/fs/cgroup")) / f"golive-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as refused:
        pytest.skip(f"no control group can be made here: {refused}")
    limit = group / ("cpu.cfs_quota_us" if v1.is_dir() else "cpu.max")
    if not limit.exists():
        group.rmdir()
        pytest.skip("the CPU controller is not given to new control groups here")
    yield group, lambda: limit.write_text("2000" if v1.is_dir() else "2000 100000") and None
    group.rmdir()


def test_workers_held_back_by_a_cpu_quota_are_found_by_their_own_figures(tmp_path: Path) -> None:
    with a_control_group() as (group, limit):
        (tmp_path / "sitecustomize.py").write_text(
            "import os, sys\n"
            "if '--worker' in sys.orig_argv:\n"
            f"    open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
        )
        with CountingServer() as server, pytest.MonkeyPatch.context() as patch:
            laid_out(tmp_path, server.url)
            patch.setenv("PYTHONPATH", str(tmp_path))
            verdict = driven(tmp_path, meanwhile=lambda _workers: limit())
    assert "worker-starved" in findings(verdict)
    # Starved, golive is slow: it may look like a slow platform, and never like a fast one.
    assert "missed" not in {outcomes(verdict)[name] for name in ("throughput", "p95-latency", "p99-latency")}
