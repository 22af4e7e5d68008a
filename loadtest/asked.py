"""What a command line asked for, and the command line that asks for it again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DEFAULT_REHEARSAL = "tartware"
CREDENTIALS = re.compile(r"://[^/\s@]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asked for; None and "" leave the plan's own value."""

    plan: str
    rate_rps: float | None
    duration: str | None
    workload: str | None
    target: str | None
    prometheus: str | None
    workers: int | None
    rehearsal: str
    changes: tuple[str, ...]
    ui: bool
    metrics_port: int = 0  # where the master's metrics are served on loopback; 0: any
    fixed_replicas: bool = False
    locustfile: Path | None = None
    users: int | None = None
    spawn_rate: float | None = None

    @property
    def command(self) -> str:
        """The command that asks for the same: all that makes a run another one, without credentials."""
        named = [word for option, value in self._options() for word in (option, str(value))]
        flag = ["--fixed-replicas"] if self.fixed_replicas else []
        return CREDENTIALS.sub("://", shlex.join(["golive", "run", self.plan, *named, *flag]))

    def _options(self) -> Iterator[tuple[str, object]]:
        rate = None if self.rate_rps is None else f"{self.rate_rps:.12g}"
        asked = (
            ("--rate", rate), ("--duration", self.duration), ("--workload", self.workload), ("--target", self.target),
            ("--prometheus", self.prometheus), ("--workers", self.workers), ("--locustfile", self.locustfile),
            ("--users", self.users), ("--spawn-rate", self.spawn_rate),
        )  # fmt: skip
        yield from ((option, value) for option, value in asked if value is not None)
        if self.rehearsal != DEFAULT_REHEARSAL:
            yield "--rehearsal", self.rehearsal
        yield from (("--change", change) for change in self.changes)
