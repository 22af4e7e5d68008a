"""Stay with a run on a cluster: copy its record while it grows, show it, pass Ctrl-C on, and see it to its end."""

from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from loadtest.cluster.errors import ApiRefused, ApiUnauthorized, ApiUnreachable
from loadtest.cluster.mirror import Mirror
from loadtest.cluster.record_client import RecordClient
from loadtest.cluster.record_server import PodStatus
from loadtest.cluster.remote_run import PodFate, RemoteRun
from loadtest.interruption import interruptible

LOOK_EVERY_S = 1.0
GONE_FOR_S = 10.0  # a list out of an API server's cache may be behind: one look takes no run away
START_WITHIN_S = 360.0  # a node is found, the image is pulled, Python has started
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How following ended. status: what the pod said last; None when it never spoke. lost: why its pod is no more."""

    status: PodStatus | None
    lost: str = ""
    interrupted: bool = False


def me() -> str:
    """Who asks: user@host."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def follow(run: RemoteRun, mirror: Mirror, *, show: Callable[[], None], say: Say) -> Outcome:
    """Until the record is whole, the run has failed, or its master's pod is no more.

    A cluster that cannot be reached for a while is waited for: the run needs nobody to watch it.
    """
    record = run.record()
    status: PodStatus | None = None
    told = ""
    start_by_s = time.monotonic() + START_WITHIN_S
    there_s = time.monotonic()  # when its pod was last seen, or nothing said that it is not there
    asked: list[str] = []  # signals that the pod has not been told of yet
    with interruptible(asked.append) as interruption:
        while True:
            fate = PodFate(phase="Running") if status else _fate(run)
            trouble = ""
            if fate.phase == "Running":
                trouble, status = _look(record, mirror, status, asked)
            if status and status.state != "running":
                return Outcome(status=status, interrupted=bool(interruption.signals))
            fate = _fate(run) if trouble else fate
            if fate.phase == "Pending" and (asked or time.monotonic() > start_by_s):
                late = f"the master's pod did not start within {START_WITHIN_S:.0f} s"
                because = f"{asked[0]} before the master's pod had started" if asked else late
                return Outcome(status=None, lost=f"{because} ({_words(fate)})", interrupted=bool(asked))
            there_s = there_s if fate.phase == "Gone" else time.monotonic()
            if fate.is_over and (fate.phase != "Gone" or time.monotonic() - there_s >= GONE_FOR_S):
                return Outcome(status=status, lost=_words(fate), interrupted=bool(interruption.signals))
            told = _tell(say, told, trouble if status else "", fate)
            show()
            time.sleep(LOOK_EVERY_S)


def _look(
    record: RecordClient, mirror: Mirror, status: PodStatus | None, asked: list[str]
) -> tuple[str, PodStatus | None]:
    try:
        if asked:
            record.stop(by=f"{asked[0]} of {me()}")
            asked.clear()
        status = record.status()
        mirror.follow()
    except ApiUnauthorized:
        raise
    except (ApiUnreachable, ApiRefused) as trouble:
        return trouble.problem, status
    return "", status


def _fate(run: RemoteRun) -> PodFate:
    try:
        return run.master()
    except ApiUnauthorized:
        raise
    except (ApiUnreachable, ApiRefused) as silence:
        return PodFate(phase="Unknown", because=silence.problem)


def _tell(say: Say, told: str, trouble: str, fate: PodFate) -> str:
    """Say what is new about the connection or the pod, once."""
    if fate.phase == "Pending" or fate.because:
        words = f"master's pod: {_words(fate)}"
    elif trouble:
        words = f"connection lost, the run goes on: {trouble}"
    else:
        words = "connected again" if told.startswith("connection") else ""
    if words and words != told:
        say(words)
    return words or told


def _words(fate: PodFate) -> str:
    return f"{fate.phase}: {fate.because}" if fate.because else fate.phase
