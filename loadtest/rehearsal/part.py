"""One process of the stage: started in a session of its own, its log kept, its end told with its last words."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from scenarios.errors import StageFailed

END_WITHIN_S = 3.0  # between being asked to end and being made to
LOOK_EVERY_S = 0.05


@dataclass(slots=True)
class Part:
    """A running part of the stage."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, name: str, command: Sequence[str | Path], *, folder: Path, environment: Mapping[str, str] | None = None
    ) -> Part:
        """Start a program; what it writes goes to NAME.log in the folder."""
        log = folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                env=dict(environment) if environment is not None else None,
            )  # fmt: skip
        return cls(name, process, log)

    @property
    def is_alive(self) -> bool:
        """Whether the process is still there."""
        return self.process.poll() is None

    def listens_at(self, address: str) -> bool:
        """Whether it is this process that listens there, and not somebody who took the port a moment earlier."""
        try:
            listening = [at for at in psutil.Process(self.process.pid).net_connections("tcp") if at.status == "LISTEN"]
        except psutil.Error:
            return False
        return any(f"{at.laddr.ip}:{at.laddr.port}" == address for at in listening)

    def wait_until(self, ready: Callable[[], bool], *, within_s: float, what: str) -> None:
        """Wait for a sign of life; raise StageFailed with the part's last words when none comes."""
        deadline_s = time.monotonic() + within_s
        while not ready():
            if not self.is_alive:
                raise self.failed(f"ended with status {self.process.returncode} before {what}")
            if time.monotonic() > deadline_s:
                raise self.failed(f"did not reach this within {within_s:.0f} s: {what}")
            time.sleep(LOOK_EVERY_S)

    def ask_to_end(self) -> None:
        """Tell the process to end, without waiting for it."""
        if self.is_alive:
            self.process.send_signal(signal.SIGTERM)

    def end(self, *, until_s: float) -> None:
        """Wait for the process to end after it was asked, and make it at this instant of the monotonic clock."""
        try:
            self.process.wait(max(until_s - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def first_line(self, beginning: str) -> str | None:
        """The first complete line of the part's log that begins so."""
        complete, _, _ = self._log().rpartition("\n")
        return next((line for line in complete.splitlines() if line.startswith(beginning)), None)

    def last_words(self, lines: int = 5) -> str:
        """The end of the part's log."""
        return "\n".join(self._log().splitlines()[-lines:])

    def failed(self, what: str) -> StageFailed:
        """The error that tells what happened, with the part's last words."""
        said = self.last_words()
        return StageFailed(
            f"The stage's {self.name} {what}.\n{said}" if said else f"The stage's {self.name} {what}.",
            remedy="Run it again; if it stays, the lines above are the part's own last words.",
        )

    def _log(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")
