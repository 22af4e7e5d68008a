"""The `golive` command.

The table of contents of a run: load the plan, raise the stage, conduct, gather, judge, render, say it.

Each command imports what it needs when it is called: `golive stop` must not wait for what judges and draws.
"""

from __future__ import annotations

import errno
import sys
import time
import traceback
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from loadtest.asked import DEFAULT_REHEARSAL, Asked
from loadtest.idle_options import refuse_idle
from loadtest.run_folder import find_run, has_ended, is_here, new_run_folder
from loadtest.run_orders import request_stop
from scenarios.errors import HarnessError, PreflightFailed, UsageError

if TYPE_CHECKING:
    from loadtest.cluster_cli import Told
    from slo.verdict import Verdict


class On(StrEnum):
    """Where workers run."""

    HERE = "here"
    CLUSTER = "cluster"


app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,  # a bug keeps its traceback, as Python prints it
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""**golive** answers one question with evidence: may this platform go live?

`golive run 30k` drives 30,000 requests a second at the rehearsal platform on this machine, watches it, judges it
and writes a report. Name a target of targets.yaml (`--target staging`) to drive a real one.

Exit codes: 0 passed, 1 failed, 2 usage, 3 not proven, 4 golive or its pre-flight failed, 5 something was not put
back, 130 interrupted.
""",
)
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, the beginning of it, or its folder; left out: the newest.")
]
ResultsOption = Annotated[Path, typer.Option(help="Where runs are kept.")]
ContextOption = Annotated[str, typer.Option(help="On a cluster: the kube context; default: the current one.")]
NamespaceOption = Annotated[str, typer.Option(help="On a cluster: golive's own namespace.")]
DEFAULT_NAMESPACE, DEFAULT_KEEP = "golive", "1h"
RESULTS = Path("results")
STOP_WITHIN_S = 10
_FULL = "Free some space; what was recorded until then can be judged with `golive judge`."
_SHUT = "Give the user who runs golive the right to read and write there, or name another place."
_OF_PLACES = {  # what the place of a file may refuse, whatever golive does: by its errno, what to do
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EACCES: _SHUT,
    errno.EPERM: _SHUT,
    errno.EROFS: _SHUT,
}


@app.command()
def run(  # noqa: PLR0917, PLR0913  (a command line's options are its arguments)
    plan: Annotated[str, typer.Argument(help="A plan's name (see `golive plans`) or its file.")] = "30k",
    rate: Annotated[float | None, typer.Option(help="Requests a second to prove; most plans offer 5 % more.")] = None,
    duration: Annotated[str | None, typer.Option(help="How long the judged hold lasts: 90s, 3m, 1h30m.")] = None,
    workload: Annotated[str | None, typer.Option(help="A workload's name, or path/to/file.py:NAME.")] = None,
    target: Annotated[str | None, typer.Option(help="A name or URL of targets.yaml. Left out: a rehearsal.")] = None,
    prometheus: Annotated[str | None, typer.Option(help="The target's Prometheus, if not that of its entry.")] = None,
    results: ResultsOption = RESULTS,
    workers: Annotated[int | None, typer.Option(help="Locust worker processes.")] = None,
    rehearsal: Annotated[str, typer.Option(help="The rehearsal platform: a name or a file.")] = DEFAULT_REHEARSAL,
    change: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A rehearsal made worse: services.core.max=8; again for more."),
    ] = None,
    fixed_replicas: Annotated[
        bool, typer.Option("--fixed-replicas", help="A search (stress) with every autoscaler held as it is.")
    ] = False,
    locustfile: Annotated[Path | None, typer.Option(help="Your own locustfile in place of the workload.")] = None,
    users: Annotated[int | None, typer.Option(help="Of a locustfile: Locust users at most (1).")] = None,
    spawn_rate: Annotated[float | None, typer.Option(help="Of a locustfile: users started a second (1).")] = None,
    ui: Annotated[bool, typer.Option("--ui", help="Show Locust's web UI on loopback.")] = False,
    metrics_port: Annotated[int, typer.Option(help="Loopback port of the master's /metrics; 0: any free one.")] = 0,
    on: Annotated[On, typer.Option(help="Where the load is made.")] = On.HERE,
    context: ContextOption = "",
    namespace: NamespaceOption = DEFAULT_NAMESPACE,
    image: Annotated[str, typer.Option(help="On a cluster: golive's image, registry/name:tag or @digest.")] = "",
    values: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="On a cluster: a values file for the chart.")
    ] = None,
    secret: Annotated[str, typer.Option(help="On a cluster: the Secret with the login's variables.")] = "",
    keep: Annotated[str, typer.Option(help="On a cluster: how long the record waits to be collected.")] = DEFAULT_KEEP,
) -> None:
    """Drive a plan, watch the platform, judge it and write the report."""
    from loadtest.rundown import run_plan
    from loadtest.verdicts import conclude

    refuse_idle(
        {
            "--rehearsal": rehearsal != DEFAULT_REHEARSAL, "--change": change, "--ui": ui, "--workload": workload,
            "--metrics-port": metrics_port, "--fixed-replicas": fixed_replicas, "--context": context, "--image": image,
            "--namespace": namespace != DEFAULT_NAMESPACE, "--values": values, "--secret": secret,
            "--keep": keep != DEFAULT_KEEP,
        },
        target=target,
        on_cluster=on is On.CLUSTER,
        locustfile=bool(locustfile),
    )  # fmt: skip
    asked = Asked(
        plan=plan, rate_rps=rate, duration=duration, workload=workload, target=target, prometheus=prometheus,
        workers=workers, rehearsal=rehearsal, changes=tuple(change or ()), ui=ui,
        metrics_port=metrics_port,
        fixed_replicas=fixed_replicas, locustfile=locustfile, users=users, spawn_rate=spawn_rate,
    )  # fmt: skip
    console = _console()
    folder = new_run_folder(results, plan)
    if on is On.CLUSTER:
        from loadtest import cluster_cli
        from loadtest.cluster.launch import Where
        from scenarios.files import duration_s

        where = Where(context=context, namespace=namespace, image=image, values=tuple(values or ()), secret=secret,
                      keep_for_s=duration_s(keep, where="--keep"))  # fmt: skip
        _tell_of_cluster(cluster_cli.run_there(asked, where, folder, console), console)
    try:
        ended = run_plan(asked, folder, console)
    except KeyboardInterrupt:  # typer would end with 130 and without a word
        recorded = (folder / "run.json").exists()
        _last_word(f"interrupted; judge what was recorded: golive judge {folder}" if recorded else "interrupted")
        raise typer.Exit(130) from None
    verdict = conclude(folder)
    _tell(folder, verdict, console)
    raise typer.Exit(130 if ended == "interrupted" else verdict.outcome.exit_code)


@app.command(name="judge")
def judge_again(
    called: RunArgument = "",
    objectives: Annotated[str, typer.Option(help="Other objectives than the plan's: a name or a file.")] = "",
    prometheus: Annotated[str, typer.Option(help="Gather the evidence anew from this Prometheus first.")] = "",
    results: ResultsOption = RESULTS,
) -> None:
    """Judge a run again from its record, offline; also one that was killed half-way."""
    from loadtest.verdicts import conclude, gather_evidence
    from scenarios.files import check_metrics_url

    folder = find_run(results, called)
    if prometheus:
        check_metrics_url(prometheus, where="--prometheus")
        gather_evidence(folder, prometheus)
    verdict = conclude(folder, objectives=objectives)
    if objectives:
        said = f"Judged by {objectives}, not by the plan's own objectives (back to those: golive judge {folder})."
        _console().print(said, highlight=False, markup=False, soft_wrap=True)
    _tell(folder, verdict, _console())
    raise typer.Exit(verdict.outcome.exit_code)


@app.command()
def report(called: RunArgument = "", results: ResultsOption = RESULTS) -> None:
    """Judge a run again by its plan's own objectives, render its report and say where it is."""
    from loadtest.verdicts import conclude

    folder = find_run(results, called)
    conclude(folder)
    _console().print(str(folder / "report.html"), highlight=False, soft_wrap=True)


@app.command()
def attach(
    called: RunArgument = "",
    context: ContextOption = "",
    namespace: NamespaceOption = DEFAULT_NAMESPACE,
    results: ResultsOption = RESULTS,
) -> None:
    """Stay with a run on a cluster, whoever launched it, and collect its record at the end."""
    from loadtest import cluster_cli

    _tell_of_cluster(cluster_cli.attach(called, results, _console(), context=context, namespace=namespace), _console())


@app.command()
def collect(
    called: RunArgument = "",
    context: ContextOption = "",
    namespace: NamespaceOption = DEFAULT_NAMESPACE,
    results: ResultsOption = RESULTS,
) -> None:
    """Collect the record of a run on a cluster that has ended, and take the run away there."""
    from loadtest import cluster_cli

    _tell_of_cluster(cluster_cli.collect(called, results, _console(), context=context, namespace=namespace), _console())


@app.command()
def stop(
    called: RunArgument = "",
    results: ResultsOption = RESULTS,
    on: Annotated[On, typer.Option(help="Where the load is made.")] = On.HERE,
    context: ContextOption = "",
    namespace: NamespaceOption = DEFAULT_NAMESPACE,
) -> None:
    """End a run's load within seconds: one of this machine, or one on a cluster from anywhere."""
    if on is On.CLUSTER or (called and not is_here(results, called)):
        from loadtest.cluster.stop import stop as stop_there

        try:
            stop_there(called, context=context, namespace=namespace, console=_console())
        except UsageError as nowhere:
            if on is On.CLUSTER or is_here(results, called):
                raise
            raise UsageError(
                f"There is no run {called!r} in {results}/. {nowhere.problem}", remedy=nowhere.remedy
            ) from None
        return
    folder = find_run(results, called)
    if has_ended(folder):  # and its record with it: nothing is written there any more
        _console().print(f"The load of {folder.name} had ended already; nothing was stopped.", highlight=False)
        return
    request_stop(folder, by="golive stop")
    for _ in range(STOP_WITHIN_S * 10):
        if has_ended(folder):
            _console().print(f"The load of {folder.name} has ended.", highlight=False)
            return
        time.sleep(0.1)
    raise PreflightFailed(
        f"{folder.name} has not confirmed within {STOP_WITHIN_S} s that its load has ended.",
        remedy="Is its golive still alive? A worker without a master stops by itself within five seconds.",
    )


@app.command(name="check-plan")
def check_plan(
    plan: Annotated[str, typer.Argument(help="A plan's name (see `golive plans`) or its file.")],
    workload: Annotated[str | None, typer.Option(help="A workload's name, or path/to/file.py:NAME.")] = None,
    target: Annotated[str | None, typer.Option(help="A name or URL of targets.yaml. Left out: a rehearsal.")] = None,
    rehearsal: Annotated[str, typer.Option(help="The rehearsal platform: a name or a file.")] = DEFAULT_REHEARSAL,
    change: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A rehearsal made worse: services.core.max=8")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Look for mistakes only; send nothing.")] = False,
) -> None:
    """Find the mistakes in a plan and its workload without load, then send one trial request per step.

    Exit codes: 0 all well, 1 a trial request was not answered as expected, 2 the plan is wrong, 4 the target is down.
    """
    from loadtest.rundown import check_whole, try_whole
    from loadtest.trial_table import trial_lines

    refuse_idle({"--rehearsal": rehearsal != DEFAULT_REHEARSAL, "--change": change}, target=target)
    asked = Asked(
        plan=plan, rate_rps=None, duration=None, workload=workload, target=target, prometheus=None, workers=None,
        rehearsal=rehearsal, changes=tuple(change or ()), ui=False,
    )  # fmt: skip
    console = _console()
    console.print(check_whole(asked), highlight=False, markup=False, soft_wrap=True)
    if offline:
        return
    tried = try_whole(asked, console)
    for line in trial_lines(tried):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(1 if any(one.failure for one in tried) else 0)


@app.command()
def plans() -> None:
    """List the plans that can be run by name."""
    from scenarios.files import list_plans

    for name, description in list_plans():
        _console().print(f"{name:<10} {description}", highlight=False)


def _console() -> Console:
    # What looks like markup is somebody's name.
    return Console(soft_wrap=not sys.stdout.isatty(), markup=False, emoji=False)


def _tell_of_cluster(told: Told, console: Console) -> NoReturn:
    _tell(told.folder, told.verdict, console)
    raise typer.Exit(130 if told.interrupted else told.verdict.outcome.exit_code)


def _tell(folder: Path, verdict: Verdict, console: Console) -> None:
    """The verdict, one entry an objective with its because, and the report's path."""
    from analysis.report.terminal import level_lines, summary_lines
    from analysis.verdict_file import is_of_rehearsal, read_levels

    written = folder / "verdict.json"
    rehearsal = ["REHEARSAL: this proves golive and the plan, not your platform."] if is_of_rehearsal(written) else []
    for line in (*level_lines(read_levels(written)), *summary_lines(verdict), *rehearsal):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def _told_of_usage(problem: str) -> int:
    """Say what is wrong with a command line; called without any, golive has shown its help already."""
    wrong = UsageError(problem, remedy="`golive --help` and `golive COMMAND --help` tell what there is.")
    if problem.strip():
        _last_word(str(wrong))
    return wrong.exit_code


def main() -> int:
    """Run the command; turn what went wrong outside the platform into one message and its exit code.

    A bug keeps its traceback, but not Python's exit code of 1, which would say that the platform failed.
    """
    try:
        # Outside its standalone mode typer hands a command's exit code back instead of raising it.
        return int(app(standalone_mode=False) or 0)
    except typer.TyperException as wrong:  # typer's own since it has left click: an option that is none, a value
        return _told_of_usage(wrong.format_message())
    except HarnessError as error:
        _last_word(str(error))
        return error.exit_code
    except OSError as wrong:
        remedy = _OF_PLACES.get(wrong.errno or 0)
        if remedy is None:
            return _bug()
        _last_word(f"{wrong}\n  Remedy: {remedy}")
    except (KeyboardInterrupt, typer.Abort):
        _last_word("interrupted")
        return 130
    except SystemExit as left:  # typer's, with 1, when nobody reads golive's output any more: no verdict was told
        return HarnessError.exit_code if left.code == 1 else int(left.code or 0)
    except Exception:  # noqa: BLE001  (printed whole: only the exit code is ours)
        return _bug()
    return HarnessError.exit_code


def _bug() -> int:
    traceback.print_exc()
    _last_word(
        "this is a mistake in golive and says nothing about the platform.\n"
        "  Remedy: Report it with the lines above; what was recorded until then can be judged with `golive judge`."
    )
    return HarnessError.exit_code


def _last_word(what: str) -> None:
    print(f"golive: {what}", file=sys.stderr)  # noqa: T201  (the command line's own last word)
