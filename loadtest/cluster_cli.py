"""The command line's part on a cluster: run there, stay with a run, collect its record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from analysis.verdict_file import read_verdict
from loadtest.asked import Asked
from loadtest.cluster.api import Api
from loadtest.cluster.collect import Collected, see_to_its_end
from loadtest.cluster.launch import Where, run_on_cluster
from loadtest.cluster.remote_run import RemoteRun
from loadtest.rundown import check_plan, listed_target, plan_for
from loadtest.verdicts import conclude
from scenarios.errors import PreflightFailed
from scenarios.plan import Plan
from scenarios.target import TargetClass
from slo.verdict import Verdict

REHEARSAL_TARGET = "cluster-rehearsal"  # the entry of targets.yaml that a run on a cluster drives when none is named


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A run that has ended and what it is worth."""

    folder: Path
    verdict: Verdict
    interrupted: bool


def run_there(asked: Asked, where: Where, folder: Path, console: Console) -> Told:
    """Run a plan on a cluster; see loadtest.cluster.launch."""
    target = listed_target(asked.target or REHEARSAL_TARGET, asked.prometheus)
    plan = plan_for(asked, target)
    if not where.secret:  # else its values are known to the cluster only, and the master checks there
        check_plan(plan)
    console.print(_announced(plan, where, folder), highlight=False, markup=False, soft_wrap=True)
    return _judged(run_on_cluster(plan, where, folder, console))


def attach(called: str, results: Path, console: Console, *, context: str, namespace: str) -> Told:
    """Stay with a run that another golive launched, or this one before it was closed, and collect its record."""
    run = RemoteRun.find(Api.of_context(context), namespace, called)
    return _judged(see_to_its_end(run, None, results / run.run_id, console))


def collect(called: str, results: Path, console: Console, *, context: str, namespace: str) -> Told:
    """Collect the record of a run that has ended; PreflightFailed while it goes on."""
    run = RemoteRun.find(Api.of_context(context), namespace, called)
    if not run.master().is_over and run.record().status().state == "running":
        remedy = f"golive attach {run.run_id} stays with it; golive stop {run.run_id} ends it."
        raise PreflightFailed(f"{run.run_id} goes on.", remedy=remedy)
    return _judged(see_to_its_end(run, None, results / run.run_id, console))


def _judged(collected: Collected) -> Told:
    """The verdict that came with the record; a record whose pod was lost is judged here, for what it holds."""
    folder = collected.folder
    verdict = read_verdict(folder / "verdict.json") if collected.judged else conclude(folder)
    return Told(folder=folder, verdict=verdict, interrupted=collected.interrupted)


def _announced(plan: Plan, where: Where, folder: Path) -> str:
    target, users = plan.target, ""
    if plan.closed:
        users = (
            f"{plan.closed.locustfile}: closed model, {plan.closed.users:,} users on {plan.workers} worker(s). A "
            "locustfile is arbitrary code: where the cluster enforces network policies it reaches the target only.\n"
        )
    kind = "REHEARSAL on a cluster" if target.target_class is TargetClass.REHEARSAL else "on a cluster"
    return f"{kind}: {target.name} ({target.url}) from namespace {where.namespace}\n{users}record: {folder}"
