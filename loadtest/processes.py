"""The Locust processes of one run on this machine: one master, its workers, each in a session of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.loopback import LOOPBACK, free_port
from loadtest.ui_login import PASSWORD_VARIABLE
from scenarios.plan import ClosedLoad, Plan

LOCUSTFILE = Path(__file__).with_name("lanes.py")
CLOSED_LOCUSTFILE = Path(__file__).with_name("closed_lanes.py")
OWN_LOCUST = (sys.executable, "-m", "locust", "--loglevel", "WARNING", "--exit-code-on-error", "0")
LOCUST = (*OWN_LOCUST, "-f", str(LOCUSTFILE))
STOP_WITHIN_S = 3  # Locust's users may end what they are at
CONNECT_WITHIN_S = 30
FOLDER_VARIABLE = "GOLIVE_RUN_FOLDER"
WORKERS_ARE_PODS_VARIABLE = "GOLIVE_WORKERS_ARE_PODS"  # set for a master whose workers are an Indexed Job
METRICS_VARIABLE = "GOLIVE_METRICS_ADDRESS"  # HOST:PORT where the master serves /metrics; unset: nowhere
LEAVE_SIGNAL = signal.SIGUSR1  # tells a worker to hand over what is in flight and end (SIGTERM is Locust's)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUi:
    """Locust's web UI for this run: on loopback, behind a password that only the environment carries."""

    port: int
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLocustfile:
    """Somebody's own locustfile, and where its users must go."""

    load: ClosedLoad
    host: str

    @property
    def arguments(self) -> list[str]:
        """What Locust is told of it: golive's listeners come first."""
        files = f"{CLOSED_LOCUSTFILE},{self.load.locustfile}"
        return ["-f", files, "--host", self.host, "--stop-timeout", str(STOP_WITHIN_S)]

    @classmethod
    def of(cls, plan: Plan) -> OwnLocustfile | None:
        """A plan's; None for one whose load is golive's own."""
        return cls(load=plan.closed, host=plan.target.url) if plan.closed else None

    @property
    def on_the_master(self) -> list[str]:
        """How many users; a shape of its own goes before that. Its log is not to hold all tables every two seconds."""
        return ["--users", str(self.load.users), "--spawn-rate", str(self.load.spawn_rate), "--only-summary"]


def locust_of(own: OwnLocustfile | None) -> list[str]:
    """How Locust is called: with golive's file, or with somebody's own."""
    return [*OWN_LOCUST, *own.arguments] if own else list(LOCUST)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersElsewhere:
    """Workers that are not started here: where the master listens for them and how long it waits."""

    bind_host: str
    port: int
    connect_within_s: float


@dataclass(slots=True)
class LocustProcesses:
    """Starts, watches and ends the processes of one run."""

    folder: Path
    watched: Callable[[int], None]  # told every process id, so that a reaper can end it
    master: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    own: OwnLocustfile | None = None  # in place of golive's

    def start(
        self, *, workers: int, ui: WebUi | None, elsewhere: WorkersElsewhere | None = None, metrics: str = ""
    ) -> None:
        """Start the master and its workers, unless those are elsewhere; here they meet on a free loopback port."""
        here = WorkersElsewhere(bind_host=LOOPBACK, port=free_port(), connect_within_s=CONNECT_WITHIN_S)
        meeting = elsewhere or here
        (self.folder / "locust").mkdir(exist_ok=True)
        flags = {WORKERS_ARE_PODS_VARIABLE: "1"} if elsewhere else {}
        flags |= {METRICS_VARIABLE: metrics} if metrics else {}
        self.master = self._spawn("master", self._master_arguments(meeting, workers, ui), ui, flags)
        for index in range(0 if elsewhere else workers):
            arguments = ["--worker", "--master-host", LOOPBACK, "--master-port", str(meeting.port)]
            self.workers.append(self._spawn(f"worker-{index}", arguments, None))

    def ended_workers(self) -> list[int]:
        """Which workers' processes are gone, by index."""
        return [index for index, worker in enumerate(self.workers) if worker.poll() is not None]

    def master_ended(self) -> bool:
        """Whether the master's process is gone."""
        return self.master is not None and self.master.poll() is not None

    def end(self, *, grace_s: float) -> None:
        """Ask every process to end, and make it after a grace period."""
        living = [process for process in [*self.workers, self.master] if process and process.poll() is None]
        for process in living:
            process.send_signal(signal.SIGTERM)
        for process in living:
            try:
                process.wait(grace_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log_tail(self, name: str, lines: int = 8) -> str:
        """The last lines a process wrote; empty when it wrote none."""
        try:
            text = (self.folder / "locust" / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def _master_arguments(self, meeting: WorkersElsewhere, workers: int, ui: WebUi | None) -> list[str]:
        out = self.folder.resolve() / "locust"
        shown = (
            ["--autostart", "--autoquit", "0", "--web-host", LOOPBACK, "--web-port", str(ui.port), "--web-login"]
            if ui
            else ["--headless"]
        )
        return [
            "--master", "--master-bind-host", meeting.bind_host, "--master-bind-port", str(meeting.port), *shown,
            "--expect-workers", str(workers), "--expect-workers-max-wait", f"{meeting.connect_within_s:.0f}",
            "--csv", str(out / "stats"), "--html", str(out / "locust.html"),
            *(self.own.on_the_master if self.own else ()),
        ]  # fmt: skip

    def _spawn(
        self, name: str, arguments: list[str], ui: WebUi | None, flags: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        # Locust takes every LOCUST_* variable as an option: only ours may steer a judged run.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
        environment |= {FOLDER_VARIABLE: str(self.folder.resolve()), **(flags or {})}
        if ui:
            environment[PASSWORD_VARIABLE] = ui.password
        with (self.folder / "locust" / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*locust_of(self.own), *arguments],
                # A locust.conf of the user's folder is none of ours; but a locustfile may read files beside itself.
                cwd=None if self.own else self.folder / "locust",
                env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for golive to handle
            )  # fmt: skip
        self.watched(process.pid)
        return process
