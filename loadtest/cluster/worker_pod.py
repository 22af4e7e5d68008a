"""A worker's pod: waits for the master, runs one Locust worker, and lets it hand over when the pod must go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from loadtest.cluster.orders import MOUNTED, PLAN
from loadtest.processes import LEAVE_SIGNAL, OwnLocustfile, locust_of
from scenarios.errors import PreflightFailed
from scenarios.files import read_plan_json

HOST_VARIABLE, PORT_VARIABLE = "GOLIVE_MASTER_HOST", "GOLIVE_MASTER_PORT"
FIND_WITHIN_S = 600.0  # the master's image may still be on its way
LOOK_EVERY_S = 0.5
CONNECT_WITHIN_S = 2.0


def run_worker(environment: Mapping[str, str], *, mounted: Path = MOUNTED) -> int:
    """Run Locust's worker until it ends; returns its exit status.

    SIGTERM (eviction, drain, deletion) becomes the engine's own halt: what is in flight is answered and handed over
    within the pod's grace period, instead of being lost with the process.
    """
    host, port = environment[HOST_VARIABLE], int(environment[PORT_VARIABLE])
    # A first process has no default handlers: without one SIGTERM would be ignored until the grace period is over.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _wait_for_master(host, port)
    locust = locust_of(OwnLocustfile.of(read_plan_json(mounted / PLAN)))
    process = subprocess.Popen(
        [*locust, "--worker", "--master-host", host, "--master-port", str(port)],
        env={key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")},
        stdin=subprocess.DEVNULL,
    )

    def leave(_signal: int, _frame: FrameType | None) -> None:
        process.send_signal(LEAVE_SIGNAL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    status = process.wait()
    return 128 - status if status < 0 else status


def _wait_for_master(host: str, port: int) -> None:
    """Until the master's name is known and its port is open: Locust itself would look only every five seconds."""
    deadline_s = time.monotonic() + FIND_WITHIN_S
    while refusal := _refusal(host, port):
        if time.monotonic() > deadline_s:
            raise PreflightFailed(
                f"The master {host}:{port} cannot be reached: {refusal}.",
                remedy="Is its pod running, and does a NetworkPolicy let this one reach it?",
            )
        time.sleep(LOOK_EVERY_S)


def _refusal(host: str, port: int) -> str:
    """Why no connection can be opened; empty when one can."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_WITHIN_S).close()
    except OSError as refused:
        return str(refused) or type(refused).__name__
    return ""
