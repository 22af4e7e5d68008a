"""The rehearsal stage: platform, autoscaler, Prometheus and Alertmanager, raised together and taken down together."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtest.loopback import free_port
from loadtest.rehearsal import monitoring
from loadtest.rehearsal.admin import Admin
from loadtest.rehearsal.autoscaler import SYNC_S, controllers
from loadtest.rehearsal.binaries import ALERTMANAGER_FILES, Monitoring, rehearsal_platform
from loadtest.rehearsal.binaries import monitoring as programs_of_monitoring
from loadtest.rehearsal.part import END_WITHIN_S, Part
from loadtest.rehearsal.reaper import Reaper
from scenarios.errors import PlanError, StageFailed, UsageError
from scenarios.yaml_reading import from_yaml

READY_WITHIN_S = 30.0
UNUSABLE = 2  # the exit code of a platform whose configuration cannot be
PORT_TRIES = 3
JOBS = {"platform", "kube-state-metrics"}


@dataclass(slots=True)
class Stage:
    """A standing stage."""

    folder: Path
    reaper: Reaper
    namespace: str
    versions: dict[str, str] = field(default_factory=dict)
    target_url: str = ""
    admin_address: str = ""
    prometheus_url: str = ""
    alertmanager_url: str = ""
    golive_metrics: str = ""
    parts: list[Part] = field(default_factory=list)
    _told_dead: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def open(  # noqa: PLR0913  (each has its default)
        cls,
        config: Mapping[str, Any],
        *,
        reaper: Reaper,
        changes: Sequence[str] = (),
        scrape_s: float = 1.0,
        sync_s: float = SYNC_S,
        webhook_url: str | None = None,
        golive_metrics: str = "",
    ) -> Iterator[Stage]:
        """Raise a stage of this platform configuration for the duration of a `with`.

        changes: "services.core.max=8" and the like, for a rehearsal made worse; webhook_url: whom Alertmanager tells;
        golive_metrics: HOST:PORT where a run's master will serve its own.
        Raises StageFailed with the last words of the part that did not start, PlanError for what the platform refuses
        and for an autoscaler that cannot be, PreflightFailed when a program is missing.
        """
        changed = with_changes(config, changes)
        folder = Path(tempfile.mkdtemp(prefix="golive-stage-"))
        reaper.folder(folder)
        stage = cls(folder, reaper, str(changed.get("namespace", "")))
        try:
            stage.golive_metrics = golive_metrics
            stage._raise(changed, scrape_s=scrape_s, sync_s=sync_s, webhook_url=webhook_url)
            yield stage
        finally:
            stage._take_down()

    @property
    def admin(self) -> Admin:
        """The platform's reins, for the tests."""
        return Admin(self.admin_address)

    def died_parts(self) -> list[str]:
        """The parts that have died since the last call."""
        dead = {part.name for part in self.parts if not part.is_alive}
        fresh = sorted(dead - self._told_dead)
        self._told_dead |= dead
        return fresh

    def _raise(self, config: dict[str, Any], *, scrape_s: float, sync_s: float, webhook_url: str | None) -> None:
        programs = programs_of_monitoring()
        file = self.folder / "platform.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        self._raise_platform(file)
        controllers(config, sync_s=sync_s)  # what cannot be is told here, not in the autoscaler's log
        alertmanager = self._raise_alertmanager(programs, webhook_url)
        self._raise_prometheus(programs, alertmanager, scrape_s)
        autoscaler = [sys.executable, "-m", "loadtest.rehearsal.autoscaler", "--admin", self.admin_address]
        self._start("autoscaler", [*autoscaler, "--config", str(file), "--sync-period-s", str(sync_s)])
        self.versions = {
            "prometheus": monitoring.version_of(programs.prometheus),
            "alertmanager": monitoring.version_of(programs.alertmanager),
            # Two rehearsals compare only when their platform was the same, changes and all.
            "rehearsal": f"{config.get('name', '')} {_fingerprint(config)}",
        }

    def _raise_platform(self, config: Path) -> None:
        command = [rehearsal_platform(), "--config", config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        part = self._start("platform", [str(word) for word in command])

        def said_or_dead() -> bool:
            return bool(part.first_line("{")) or not part.is_alive

        part.wait_until(said_or_dead, within_s=READY_WITHIN_S, what="it listens")
        said = part.first_line("{")
        if not said and part.process.returncode == UNUSABLE:
            raise PlanError(
                f"The rehearsal platform refused its configuration: {part.last_words()}",
                remedy="Mend the rehearsal's file, or the change that was asked for.",
            )
        if not said:
            raise part.failed(f"ended with status {part.process.returncode} before it listened")
        where = json.loads(said)
        self.target_url, self.admin_address = f"http://{where['listen']}", where["admin"]

    def _raise_alertmanager(self, programs: Monitoring, webhook_url: str | None) -> str:
        config = monitoring.write_alertmanager_config(self.folder, webhook_url=webhook_url)
        if programs.alertmanager_files:
            (self.folder / ALERTMANAGER_FILES).symlink_to(programs.alertmanager_files)

        def command(address: str) -> list[str]:
            return monitoring.alertmanager_command(programs, config, self.folder, address)

        address = self._start_on_free_port("alertmanager", command)
        self.alertmanager_url = f"http://{address}"
        return address

    def _raise_prometheus(self, programs: Monitoring, alertmanager: str, scrape_s: float) -> None:
        config = monitoring.write_prometheus_config(
            self.folder, platform_admin=self.admin_address, alertmanager=alertmanager, scrape_s=scrape_s,
            golive=self.golive_metrics,
        )  # fmt: skip

        def command(address: str) -> list[str]:
            return monitoring.prometheus_command(programs, config, self.folder, address)

        address = self._start_on_free_port("prometheus", command)
        part = self.parts[-1]
        part.wait_until(lambda: monitoring.scrapes(address) >= JOBS, within_s=READY_WITHIN_S, what="it scrapes")
        part.wait_until(lambda: monitoring.has_rules(address), within_s=READY_WITHIN_S, what="its rules are loaded")
        self.prometheus_url = f"http://{address}"

    def _start_on_free_port(self, name: str, command: Callable[[str], list[str]]) -> str:
        """Neither program can choose a port itself; one that was free may be taken in between: try again."""
        for attempt in range(PORT_TRIES):
            address = f"127.0.0.1:{free_port()}"
            part = self._start(name, command(address))

            def stands(part: Part = part, address: str = address) -> bool:
                return part.listens_at(address) and monitoring.is_ready(address)

            try:
                part.wait_until(stands, within_s=READY_WITHIN_S, what="it is ready")
            except StageFailed:
                if attempt + 1 == PORT_TRIES or "address already in use" not in part.last_words():
                    raise
                self.parts.remove(part)
                continue
            return address
        raise AssertionError  # the last attempt has returned or raised

    def _start(self, name: str, command: Sequence[str]) -> Part:
        part = Part.start(name, command, folder=self.folder)
        self.parts.append(part)
        self.reaper.watch(part.process.pid)
        return part

    def _take_down(self) -> None:
        for part in self.parts:
            part.ask_to_end()
        until_s = time.monotonic() + END_WITHIN_S
        for part in self.parts:
            part.end(until_s=until_s)
        shutil.rmtree(self.folder, ignore_errors=True)


def with_changes(config: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The configuration with values replaced: `services.core.max=8`, where entries of lists go by their name.

    Raises UsageError for a path that leads nowhere: a change that changes nothing would be a lie.
    """
    changed = deepcopy(dict(config))
    for change in changes:
        path, equals, text = change.partition("=")
        *way, last = path.split(".")
        place = _at(changed, way, change)
        # Faults are named freely: the platform itself refuses the ones it does not know.
        known = isinstance(place, dict) and (last in place or place is changed.get("faults"))
        if not equals or not known:
            raise UsageError(
                f"`{change}` changes nothing.", remedy="Write services.core.max=8 or faults.slow={core: 3}."
            )
        place[last] = from_yaml(text, where=f"`{change}`")
    return changed


def with_pinned_replicas(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with every autoscaler held at the replicas of the start."""
    pinned = deepcopy(dict(config))
    for service in pinned.get("services", ()):
        start = service.get("start", service.get("min"))
        service.update(min=start, max=start, start=start)
    return pinned


def _at(config: dict[str, Any], way: Sequence[str], change: str) -> Any:
    place: Any = config
    for step in way:
        place = _inside(place, step, change)
    return place


def _inside(place: Any, step: str, change: str) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list):
        for entry in place:
            if isinstance(entry, dict) and entry.get("name") == step:
                return entry
    raise UsageError(f"`{change}`: there is no {step!r}.", remedy="Compare with scenarios/rehearsals/tartware.yaml.")


def _fingerprint(config: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:12]
