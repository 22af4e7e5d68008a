"""One run of one peer: pinned to the generator's core, bounded in time, its CPU as the kernel accounts for it."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from tests.bench_peers.account import Account
from tests.bench_peers.cores import GENERATOR_CORE, clean_environment, pinned
from tests.bench_peers.installing import Installed
from tests.bench_peers.load import Load, Reported, Tool, ToolFailed
from tests.bench_peers.target import Watched

GRACE_S = 30  # beyond the time it was asked to take


def run_peer(tool: Tool, installed: Installed, load: Load, target: Watched) -> tuple[Reported, Account, float]:
    """Run it to its end; ToolFailed when it crashes, overstays or says nothing. Last, the CPU it used in all."""
    said_to = load.folder / "said.txt"
    command = pinned(GENERATOR_CORE, tool.command(installed.program, load))
    with said_to.open("wb") as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, cwd=load.folder,
            env=clean_environment({**installed.environment, **tool.environment(load)}),
        )  # fmt: skip
    account = Account([process.pid])
    target.on_first_request = account.note_first_request
    with account.open():
        cpu_s = _wait(process, load.seconds + GRACE_S, tool, said_to)
    try:
        return tool.read(load, said_to.read_text(errors="replace")), account, cpu_s
    except (KeyError, TypeError, ValueError) as wrong:  # another version's words
        raise ToolFailed(f"{tool.name} said something that cannot be read: {wrong!r}") from wrong


def _wait(process: subprocess.Popen[bytes], within_s: float, tool: Tool, said_to: Path) -> float:
    """Its CPU with that of its children, once it has ended by itself."""
    overstayed = threading.Event()

    def end() -> None:
        overstayed.set()
        process.kill()

    timer = threading.Timer(within_s, end)
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if overstayed.is_set():
        raise ToolFailed(f"{tool.name} had not ended after {within_s:.0f} s")
    if process.returncode and not (tool.package == "" and process.returncode == 1):  # Locust: 1 is "some failed"
        said = said_to.read_text(errors="replace").strip().splitlines()
        raise ToolFailed(f"{tool.name} ended with {process.returncode}: {said[-1][:200] if said else 'no word'}")
    return float(usage.ru_utime + usage.ru_stime)
