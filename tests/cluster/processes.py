"""Which processes are the cluster's, by the namespaces they live in, and how they end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadtest.rehearsal.reaper import start_time
from scenarios.errors import StageFailed
from tests.cluster.network import HANDLE
from tests.cluster.places import REPOSITORY, Places

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Init:
    """The process that holds the cluster's namespaces, known by its start and not by its number alone."""

    pid: int
    started: str  # clock ticks after boot

    def is_alive(self) -> bool:
        """Whether it is still that process."""
        return bool(self.started) and start_time(self.pid) == self.started


def start(places: Places, artefacts: Path) -> Init:
    """Start PID 1 in namespaces of its own, and write down who holds them."""
    command = [
        "nsenter", f"--net={HANDLE}", "unshare", "--mount", "--pid", "--uts", "--fork", "--kill-child",
        sys.executable, "-m", "tests.cluster.init", str(artefacts), str(places.cache),
    ]  # fmt: skip
    log = str(places.logs / "init.log")
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    # It outlives whoever starts it: a Popen would be a thing to look after.
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    pid = os.posix_spawnp(command[0], command, environment, file_actions=streams, setsid=True)
    init = Init(pid=pid, started=start_time(pid))
    record(places).write_text(json.dumps({"pid": init.pid, "started": init.started}))
    return init


def recorded(places: Places) -> Init | None:
    """Who was written down last."""
    try:
        return Init(**json.loads(record(places).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def record(places: Places) -> Path:
    """Where it is written down."""
    return places.run / "init.json"


def inside(places: Places) -> int:
    """PID 1 of the cluster's namespaces, by its number on the host."""
    init = recorded(places)
    children = psutil.Process(init.pid).children() if init and init.is_alive() else []
    if not children:
        raise StageFailed("The test cluster is not up.", remedy="Run `make cluster-up`.")
    return children[0].pid


def within(places: Places, *command: str | Path) -> list[str]:
    """The command, to be run among the cluster's daemons."""
    return ["nsenter", f"--target={inside(places)}", "--mount", "--net", "--pid", "--uts", *map(str, command)]


def remaining(places: Places) -> list[psutil.Process]:
    """All processes of the cluster that are left: the one written down, and whoever lives in its network."""
    found = {process.pid: process for process in _in_network()}
    init = recorded(places)
    if init and init.is_alive():
        found[init.pid] = psutil.Process(init.pid)
    return list(found.values())


def end_all(places: Places) -> None:
    """Kill them; the kernel then ends everything in their PID namespace."""
    until = time.monotonic() + PATIENCE_S
    while left := remaining(places):
        if time.monotonic() > until:
            raise StageFailed(
                f"These do not end: {', '.join(map(called, left))}.",
                remedy="See what they wait for in /proc/PID/stack.",
            )
        for process in left:
            _kill(process.pid)
        time.sleep(0.1)


def called(process: psutil.Process) -> str:
    """Its number and name."""
    try:
        return f"{process.pid} {process.name()}"
    except psutil.NoSuchProcess:
        return f"{process.pid} (ended just now)"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)  # when it is our own child
    except (ProcessLookupError, ChildProcessError):
        return


def _in_network() -> list[psutil.Process]:
    try:
        ours = HANDLE.stat()
    except OSError:
        return []
    return [process for process in psutil.process_iter() if _network_of(process.pid) == (ours.st_dev, ours.st_ino)]


def _network_of(pid: int) -> tuple[int, int] | None:
    try:
        found = Path(f"/proc/{pid}/ns/net").stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
