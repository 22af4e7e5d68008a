"""Takes down what a run started when golive is gone, however it went: also by kill -9.

A process of its own, deaf to Ctrl-C, that reads from a pipe. It is told what to watch; when the pipe ends without
"done" (the kernel closes a dead process's end), it ends what is still there. A process id that now belongs to
somebody else is told by its start time and left alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GRACE_S = 5.0


@dataclass(slots=True)
class Reaper:
    """golive's end of the pipe."""

    process: subprocess.Popen[str]

    @classmethod
    @contextmanager
    def start(cls) -> Iterator[Reaper]:
        """Keep a reaper at hand for the duration of a `with`."""
        process = subprocess.Popen(
            [sys.executable, "-m", "loadtest.rehearsal.reaper"],
            stdin=subprocess.PIPE, text=True, start_new_session=True, close_fds=True,
        )  # fmt: skip
        reaper = cls(process)
        try:
            yield reaper
        finally:
            reaper._tell("done")
            if process.stdin:
                process.stdin.close()
            process.wait(GRACE_S + 5)

    def watch(self, pid: int) -> None:
        """End this process, and the session it leads, if golive cannot."""
        self._tell(f"watch {pid} {start_time(pid)}")

    def folder(self, path: Path) -> None:
        """Remove this folder if golive cannot."""
        self._tell(f"folder {path}")

    def _tell(self, line: str) -> None:
        if self.process.stdin and not self.process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(line + "\n")
                self.process.stdin.flush()


def start_time(pid: int) -> str:
    """When a process started, in clock ticks after boot; "" when it is not there (proc(5), field 22 of stat)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(")")[2].split()
    return "" if state == "Z" else rest[18]


def reap(lines: Iterator[str]) -> None:
    """Listen; when the pipe ends without "done", end everything watched."""
    watched: list[tuple[int, str]] = []
    folders: list[Path] = []
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "done":
            return
        if word == "watch":
            pid, _, started = rest.partition(" ")
            watched.append((int(pid), started))
        elif word == "folder":
            folders.append(Path(rest))
    _end(watched)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(watched: list[tuple[int, str]]) -> None:
    def living() -> list[int]:
        return [pid for pid, started in watched if started and start_time(pid) == started]

    for pid in living():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + GRACE_S
    while living() and time.monotonic() < deadline_s:
        time.sleep(0.05)
    for pid in living():
        with contextlib.suppress(ProcessLookupError):
            # Each watched process leads a session of its own: nobody else is in its group.
            os.killpg(pid, signal.SIGKILL) if os.getpgid(pid) == pid else os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Listen on standard input, deaf to what ends golive."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    reap(iter(sys.stdin.readline, ""))


if __name__ == "__main__":
    main()
