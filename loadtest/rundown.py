"""One `golive run`, from what was asked to a closed record: stage or target, pre-flight, conduct, gather."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from loadtest import _engine, preflight
from loadtest.annotations import Grafana, annotating
from loadtest.asked import Asked
from loadtest.conduct import Surroundings, conduct
from loadtest.level_bench import search_of
from loadtest.locustfile_check import check_locustfile
from loadtest.loopback import LOOPBACK, HeldPort, free_port
from loadtest.outlook import Outlook
from loadtest.processes import WebUi
from loadtest.progress import Progress, Watcher
from loadtest.rehearsal.reaper import Reaper
from loadtest.rehearsal.stage import Stage, with_changes, with_pinned_replicas
from loadtest.run_orders import compiled_plan
from loadtest.trial import Tried, try_plan
from loadtest.versions import own_versions
from scenarios.closed_plan import with_locustfile
from scenarios.errors import PlanError, UsageError
from scenarios.files import check_metrics_url, find_target, load_plan, read_rehearsal, read_targets
from scenarios.plan import ClosedLoad, Plan
from scenarios.search_file import with_fixed_replicas
from scenarios.target import Target, TargetClass
from scenarios.transport import careless

TARGETS = Path("targets.yaml")
NOWHERE = Target(name="nowhere", url="http://127.0.0.1:9", target_class=TargetClass.REHEARSAL)


def run_plan(asked: Asked, folder: Path, console: Console) -> str:
    """Run a plan from the beginning to a closed record with its evidence gathered; returns how it ended.

    Raises HarnessError before the folder is there when the run cannot be; later ones leave a readable record.
    """
    asked_plan, told = _without_mistakes(asked)
    preflight.check_writable(folder.parent)
    with ExitStack() as after:
        reaper = after.enter_context(Reaper.start())
        metrics = hold_metrics_port(asked.metrics_port)
        after.callback(metrics.release)
        target, versions, died_parts = after.enter_context(
            stage_or_target(asked, asked_plan, reaper, console, metrics.address)
        )
        plan = plan_for(asked, target)
        check_plan(plan)
        warnings = (*preflight.check(plan, folder.parent), *told)
        outlook = Outlook(target)
        search = search_of(plan, folder, outlook)
        watcher = Watcher(folder, plan, outlook.replicas)
        progress = Progress(watcher, console)
        ui = WebUi(port=free_port(), password=secrets.token_urlsafe(9)) if asked.ui else None
        _announce(plan, folder, ui, console, warnings)
        console.print(f"metrics: http://{metrics.address}/metrics (for Prometheus)", highlight=False)
        around = Surroundings(
            folder=folder,
            rehearsal=target.target_class is TargetClass.REHEARSAL,
            versions={**own_versions(), **versions},
            watched=reaper.watch,
            died_parts=died_parts,
            settled=outlook.settled,
            search=search,
            show=progress,
            ui=ui,
            metrics=metrics.address,
            command=asked.command,
            warnings=warnings,
        )
        metrics.release()
        annotator = annotating(folder, os.environ, _saying(console))
        try:
            ended = conduct(plan, around)
        finally:
            progress.close()
            if annotator:
                annotator.close()
        outlook.gather(folder)
        return ended


def _without_mistakes(asked: Asked) -> tuple[Plan, tuple[str, ...]]:
    """The plan at no target yet, and what is to be told of its files: their mistakes before anything is raised."""
    Grafana.of(os.environ)
    plan = plan_for(asked, NOWHERE)
    told = check_locustfile(plan.closed.locustfile) if plan.closed else ""
    return plan, (told,) if told else ()


@contextmanager
def stage_or_target(
    asked: Asked, asked_plan: Plan, reaper: Reaper, console: Console, metrics: str = ""
) -> Iterator[tuple[Target, dict[str, str], Callable[[], list[str]]]]:
    """The target that was named, or a rehearsal stage for as long as it is needed; versions, and what died of it."""
    if asked.target:
        yield listed_target(asked.target, asked.prometheus), {}, list
        return
    console.print("REHEARSAL: raising the stage (platform, autoscaler, Prometheus, Alertmanager) …", highlight=False)
    config = with_changes(read_rehearsal(asked.rehearsal), asked.changes)
    search = asked_plan.search
    config = with_pinned_replicas(config) if search and search.replicas == "fixed" else config
    with Stage.open(config, reaper=reaper, golive_metrics=metrics) as stage:
        target = Target(
            name=asked.rehearsal,
            url=stage.target_url,
            target_class=TargetClass.REHEARSAL,
            prometheus_url=asked.prometheus or stage.prometheus_url,
            namespace=stage.namespace,
        )
        yield target, dict(stage.versions), stage.died_parts


def _saying(console: Console) -> Callable[[str], None]:
    return lambda what: console.print(what, highlight=False, markup=False, soft_wrap=True)


def hold_metrics_port(wanted: int) -> HeldPort:
    """Keep the port of the master's metrics from others until the master is started."""
    try:
        return HeldPort.take(wanted)
    except (OSError, OverflowError) as taken:
        raise UsageError(
            f"--metrics-port {wanted} cannot be had on {LOOPBACK}: {getattr(taken, 'strerror', None) or taken}.",
            remedy="Choose another port, or leave the option out: then any free one is taken and printed.",
        ) from None


def listed_target(called: str, prometheus: str | None) -> Target:
    """A target of targets.yaml that may be driven; another Prometheus than its entry's may be named."""
    target = find_target(called, read_targets(TARGETS) if TARGETS.exists() else ())
    if target.target_class is TargetClass.PRODUCTION:
        raise UsageError(
            f"{target.name!r} is production: load on it needs a confirmation bound to its cluster, the plan and a "
            "time window, which this golive cannot take yet.",
            remedy="Drive staging, or a rehearsal.",
        )
    return replace(target, prometheus_url=prometheus or target.prometheus_url)


def plan_for(asked: Asked, target: Target) -> Plan:
    """The plan that was asked for, resolved for a target.

    A locustfile takes the place of the plan's workload, so what that may write at the target does not matter.
    """
    check_metrics_url(asked.prometheus or "", where="--prometheus")
    plan = load_plan(
        asked.plan,
        target=NOWHERE if asked.locustfile else target,
        rate_rps=asked.rate_rps,
        hold=asked.duration,
        workload=asked.workload,
        workers=asked.workers,
    )
    if asked.locustfile:
        return replace(with_locustfile(plan, _own_load(asked, asked.locustfile)), target=target)
    if asked.users is not None or asked.spawn_rate is not None:
        raise UsageError(
            "--users and --spawn-rate are of a locustfile's users, and no --locustfile is named.",
            remedy="A plan's load is a rate: --rate (RATE=).",
        )
    return with_fixed_replicas(plan) if asked.fixed_replicas else plan


def _own_load(asked: Asked, locustfile: Path) -> ClosedLoad:
    path = locustfile.resolve()
    if not path.is_file() or path.suffix != ".py" or "," in str(path):
        raise UsageError(
            f"--locustfile {locustfile} is no Python file that Locust takes.",
            remedy="Name an existing .py file; Locust takes a comma for the end of a name.",
        )
    users = 1 if asked.users is None else asked.users
    spawn_rate = 1.0 if asked.spawn_rate is None else asked.spawn_rate
    return ClosedLoad(locustfile=str(path), users=users, spawn_rate=spawn_rate)


def check_plan(plan: Plan) -> None:
    """Let the engine itself refuse what it cannot send, before anything is laid down."""
    if plan.closed:
        return  # Locust's to refuse
    compiled = compiled_plan(plan, run_date=time.strftime("%Y-%m-%d", time.gmtime()))
    try:
        _engine.validate_plan(compiled)
    except ValueError as refusal:
        raise PlanError(f"The engine refuses this plan: {refusal}", remedy="Mend the workload or the plan.") from None


def check_whole(asked: Asked) -> str:
    """Look for everything that can be wrong with a plan, and send nothing; raises PlanError or says what it is."""
    target = listed_target(asked.target, None) if asked.target else NOWHERE
    plan = plan_for(asked, target)
    check_plan(plan)
    flows = len(plan.workload.flows)
    journeys = f", {flows} flow{'s' if flows > 1 else ''}" if flows else ""
    return (
        f"{plan.name}: workload {plan.workload.name}, {len(plan.workload.kinds)} kinds of request{journeys}: no mistake"
    )


def try_whole(asked: Asked, console: Console) -> tuple[Tried, ...]:
    """One trial request of each kind, at the target that was named or at a rehearsal stage raised for it."""
    with ExitStack() as after:
        reaper = after.enter_context(Reaper.start())
        target, _, _ = after.enter_context(stage_or_target(asked, plan_for(asked, NOWHERE), reaper, console))
        plan = plan_for(asked, target)
        console.print(f"one request of each kind at {target.name} ({target.target_class.value})", highlight=False)
        return try_plan(plan)


def _announce_closed(plan: Plan, load: ClosedLoad, folder: Path, console: Console) -> None:
    _saying(console)(
        f"{plan.name}: {load.locustfile} at {plan.target.name} ({plan.target.target_class.value}), closed model, "
        f"{load.users:,} users, {plan.profile.duration_s:,.0f} s, {plan.workers} worker(s)\n"
        "A locustfile is arbitrary code: golive passes the target as Locust's --host and cannot hold it to that.\n"
        f"record: {folder}"
    )


def _beside(plan: Plan) -> str:
    """What flows with a rate of their own send beside the line, if all goes well."""
    beside_rps = sum((flow.rate_rps or 0.0) * len(flow.steps) for flow in plan.workload.flows)
    return f" and {beside_rps:,.4g} of flows beside it" if beside_rps else ""


def _announce(plan: Plan, folder: Path, ui: WebUi | None, console: Console, warnings: tuple[str, ...]) -> None:
    say = _saying(console)
    for warning in warnings:
        say(warning)
    if plan.closed:
        _announce_closed(plan, plan.closed, folder, console)
    else:
        _announce_open(plan, folder, console)
    if ui:
        say(f"Locust's UI: http://127.0.0.1:{ui.port}  user golive  password {ui.password}")


def _announce_open(plan: Plan, folder: Path, console: Console) -> None:
    offered_rps = plan.profile.peak_rps
    lasts = f"{plan.profile.duration_s:,.0f} s{' of proof' if plan.search else ''}"
    console.print(
        f"{plan.name}: {plan.workload.name} at {plan.target.name} ({plan.target.target_class.value}), "
        f"{offered_rps:,.7g} rps offered{_beside(plan)}, {plan.rate_to_prove_rps:,.7g} to prove, "
        f"{lasts}, {plan.workers} worker(s)\nrecord: {folder}",
        highlight=False,
        soft_wrap=True,
    )
    if plan.search:
        search = plan.search
        console.print(
            f"search: from {search.start_rps:,.0f} rps up to {search.most_rps:,.0f}, {search.replicas} replicas, "
            f"{search.budget_s / 60:,.0f} min at most, then the proof",
            highlight=False,
        )
    if careless(plan.tls):
        console.print(f"TLS {careless(plan.tls)}", highlight=False)
