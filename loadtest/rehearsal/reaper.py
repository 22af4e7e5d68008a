"""Takes down what a run started when golive is gone, however it went: also by kill -9.

A process of its own, deaf to Ctrl-C, that reads from a pipe. It is told what to watch; when the pipe ends without
"done" (the kernel closes a dead process's end), it ends what is still there. A process id that now belongs to
somebody else is told by its start time and left alone. What a watched process started belongs to its session and goes
with it; so does a child of golive that runs in a folder which is to be removed: that covers the instant between a
start and its `watch`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
            reaper._tell("done")
        finally:
            # Without "done" (an error, Ctrl-C during the tear-down) whatever is still there is ended now.
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


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int
    session: int
    started: str  # clock ticks after boot: with the id, unlike any other process's


def seen(pid: int) -> Process | None:
    """A process that runs, or None (proc(5), stat: state, parent, group, session are fields 3 to 6, start 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state == "Z" else Process(pid, parent=int(rest[0]), session=int(rest[2]), started=rest[18])


def start_time(pid: int) -> str:
    """When a process started, in clock ticks after boot; "" when it does not run."""
    process = seen(pid)
    return process.started if process else ""


@dataclass(slots=True)
class Watch:
    """What golive told of: processes by id and start time, folders of its own."""

    golive: int
    started: dict[int, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    def left(self) -> list[Process]:
        """The watched processes that still run, the rest of their sessions, golive's children in its folders."""
        running = [process for name in os.listdir("/proc") if name.isdigit() and (process := seen(int(name)))]
        # Golive's children are this process's siblings, also when its end has given them all another parent. Asked
        # after the look at the others: whoever of them was seen with a new parent has the one that this process has.
        parents = {self.golive, os.getppid()}
        # A session's id is not given again while anybody is in it; if it was, its owner started at another time.
        taken = {
            process.pid for process in running if self.started.get(process.pid, process.started) != process.started
        }
        ours = self.started.keys() - taken
        return [
            process
            for process in running
            if (process.pid in ours or process.session in ours or (process.parent in parents and self._houses(process)))
            and process.pid != os.getpid()
        ]

    def _houses(self, process: Process) -> bool:
        try:
            place = Path(os.readlink(f"/proc/{process.pid}/cwd"))
        except OSError:
            return False
        return any(place == folder or folder in place.parents for folder in self.folders)


def reap(lines: Iterator[str], *, golive: int) -> None:
    """Listen; when the pipe ends without "done", end everything watched. golive: the process that is listened to."""
    watch = Watch(golive)
    for line in lines:
        word, _, rest = line.strip().partition(" ")
        if word == "done":
            return
        if word == "watch":
            pid, _, started = rest.partition(" ")
            watch.started[int(pid)] = started
        elif word == "folder":
            watch.folders.append(Path(rest))
    _end(watch)
    for folder in watch.folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(watch: Watch) -> None:
    """Ask everybody to end, and make those that have not after a grace period, and what they started meanwhile."""
    _signal(watch.left(), signal.SIGTERM)
    deadline_s = time.monotonic() + GRACE_S
    while (left := watch.left()) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    _signal(left, signal.SIGKILL)


def _signal(processes: Sequence[Process], number: signal.Signals) -> None:
    for process in processes:
        if start_time(process.pid) == process.started:  # its parent may have changed since: golive is ending
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, number)


def main() -> None:
    """Listen on standard input, deaf to what ends golive."""
    golive = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    reap(iter(sys.stdin.readline, ""), golive=golive)


if __name__ == "__main__":
    main()
