"""The target and the idle timer as processes of one cell: started before it, asked what they saw after it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench_peers.cores import TARGET_CORE, pinned
from tests.bench_peers.load import Server

END_WITHIN_S = 10


def _nothing() -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class Watched:
    """One process of ours that tells on standard output what it saw once its input ends."""

    process: subprocess.Popen[str]
    port: int = 0
    cpu_s: float = 0.0
    seen: dict[str, Any] = field(default_factory=dict)
    on_first_request: Callable[[], None] = _nothing

    def listen(self) -> None:
        """Read what it says until it ends."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("first request"):
                self.on_first_request()
            elif line.startswith("{"):
                self.seen = json.loads(line)


@contextmanager
def a_target(program: Path, server: Server, offered_rps: int | None) -> Iterator[Watched]:
    """The server on its core, listening on a loopback port of its choice."""
    command = pinned(TARGET_CORE, [str(program), server, str(offered_rps or 0)])
    with _watched(command, says_port=True) as target:
        yield target


@contextmanager
def an_idle_timer(program: Path) -> Iterator[Watched]:
    """A timer that the kernel may put on either core."""
    with _watched([str(program), "timer"], says_port=False) as timer:
        yield timer


@contextmanager
def _watched(command: list[str], *, says_port: bool) -> Iterator[Watched]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    assert process.stdout
    watched = Watched(process)
    if says_port:
        watched.port = int(process.stdout.readline().split()[1])
    listener = threading.Thread(target=watched.listen, daemon=True)
    listener.start()
    try:
        yield watched
    finally:
        process.stdin.close()
        listener.join(END_WITHIN_S)
        if listener.is_alive():
            process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        watched.cpu_s = usage.ru_utime + usage.ru_stime
