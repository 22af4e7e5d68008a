"""From a run on a cluster to its record on this machine: followed, collected, judged, and taken away."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from analysis.manifest import unlike_manifest
from loadtest.cluster.errors import ApiRefused, ApiUnreachable
from loadtest.cluster.follow import Outcome, follow
from loadtest.cluster.helm import Helm
from loadtest.cluster.leftovers import take_away
from loadtest.cluster.mirror import Mirror
from loadtest.cluster.remote_run import RemoteRun
from loadtest.progress import Progress, Watcher
from loadtest.record import append_event
from scenarios.errors import HarnessError, PreflightFailed
from scenarios.files import read_plan_json
from scenarios.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A record that has arrived. judged: it came with its verdict; else it is for us to judge (its pod was lost)."""

    folder: Path
    judged: bool
    interrupted: bool


def see_to_its_end(run: RemoteRun, plan: Plan | None, folder: Path, console: Console) -> Collected:
    """Follow a run, collect its record and take the run away.

    plan: None when this golive did not launch it; its progress is shown once its plan has arrived.
    Raises PreflightFailed when no load began, RecordNotWhole when the record did not arrive (its pod then keeps it),
    KeyboardInterrupt on a second Ctrl-C: the run goes on without us.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mirror = Mirror(run.record(), folder)
    shown = _Shown(folder, plan, console)
    try:
        outcome = follow(run, mirror, show=shown, say=lambda words: console.print(words, highlight=False, markup=False))
    except KeyboardInterrupt:
        console.print(f"detached: the run goes on. golive attach {run.run_id}", highlight=False)
        raise
    finally:
        shown.close()
    collected = _collected(run, mirror, folder, outcome)
    take_away(run, Helm(context=run.api.context, namespace=run.namespace), run.lease())
    if not _has_begun(folder):
        raise _no_load(outcome)
    if outcome.lost:
        append_event(folder, "master_pod_lost", at_unix_s=time.time(), because=outcome.lost)
    return collected


def _collected(run: RemoteRun, mirror: Mirror, folder: Path, outcome: Outcome) -> Collected:
    if outcome.lost:
        return Collected(folder=folder, judged=False, interrupted=outcome.interrupted)
    judged = outcome.status is not None and outcome.status.state == "ready"
    if judged:
        mirror.complete(unlike_manifest)
    else:
        mirror.follow()
    with suppress(ApiUnreachable, ApiRefused):  # it is about to be taken away in any case
        run.record().collected()
    return Collected(folder=folder, judged=judged, interrupted=outcome.interrupted)


def _has_begun(folder: Path) -> bool:
    """Whether the load began, by what has arrived of the record."""
    events = folder / "events.jsonl"
    return events.exists() and '"load_started"' in events.read_text(encoding="utf-8")


def _no_load(outcome: Outcome) -> HarnessError:
    """Why there is nothing to judge."""
    if outcome.status and outcome.status.state == "failed":
        return PreflightFailed(outcome.status.problem, remedy=outcome.status.remedy)
    return PreflightFailed(
        f"No load began, as far as has arrived here: {outcome.lost or 'the run was stopped before'}.",
        remedy="kubectl describe and kubectl logs of the pod tell more; then run again.",
    )


class _Shown:
    """The progress of a record that is still arriving; nothing until its plan is there."""

    def __init__(self, folder: Path, plan: Plan | None, console: Console) -> None:
        self._folder, self._plan, self._console = folder, plan, console
        self._progress: Progress | None = None

    def __call__(self) -> None:
        if self._progress is None:
            plan = self._plan or self._arrived()
            if plan is None:
                return
            self._progress = Progress(Watcher(self._folder, plan), self._console)
        self._progress()

    def close(self) -> None:
        if self._progress:
            self._progress.close()

    def _arrived(self) -> Plan | None:
        try:
            return read_plan_json(self._folder / "plan.json")
        except HarnessError:
            return None
