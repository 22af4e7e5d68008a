"""The files people write, read: plans, objectives, targets, rehearsals, and a record's plan."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from scenarios.engine_plan import secret_names
from scenarios.errors import PlanError, RecordUnreadable
from scenarios.files_tls import check_tls_files, sending_beside, tls_beside
from scenarios.objective_check import objective_problems
from scenarios.plan import AbortLimits, Plan, Sending
from scenarios.plan_check import check_plan, with_canary
from scenarios.plan_json import plan_from_json, plan_to_json
from scenarios.profile import Phase, Profile
from scenarios.search_file import SearchFile, with_search
from scenarios.target import Target, TargetClass
from scenarios.target_list import check_metrics_url, find_target
from scenarios.workload import Workload
from scenarios.workload_files import load_workload
from scenarios.yaml_reading import read_as, read_yaml
from slo.objective import Objective
from slo.validity import Thresholds

__all__ = [
    "check_metrics_url",
    "find_target",
    "list_plans",
    "load_plan",
    "plan_to_json",
    "read_objectives",
    "read_plan_json",
    "read_rehearsal",
    "read_secrets",
    "read_targets",
]

HERE = Path(__file__).parent
PLANS = HERE / "plans"
REHEARSALS = HERE / "rehearsals"
OBJECTIVES = HERE.parent / "slo" / "objectives"
LONGEST_S = 7 * 24 * 3600.0
HIGHEST_RPS = 10_000_000.0

Share = Annotated[float, Field(ge=0, le=20)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFile:
    """A phase as people write it: rates as shares of the offered rate."""

    name: Annotated[str, Field(pattern=r"^[\w-]{1,40}$")]
    duration: str
    from_share: Share
    to_share: Share
    judged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan as people write it."""

    workload: str
    objectives: str
    rate_to_prove_rps: Positive
    phases: Annotated[tuple[PhaseFile, ...], Field(min_length=1, max_length=200)]
    offered_ratio: Annotated[float, Field(ge=1, le=2)] = 1.05
    workers: Annotated[int, Field(ge=1, le=1000)] = 1
    sending: Sending = field(default_factory=Sending)
    abort: AbortLimits = field(default_factory=AbortLimits)
    thresholds: Thresholds = field(default_factory=Thresholds)
    watch_after: str = "60s"
    watch_scale_down: bool = False
    search: SearchFile | None = None


def load_plan(
    name: str,
    *,
    target: Target,
    rate_rps: float | None = None,
    hold: str | None = None,
    workload: str | None = None,
    workers: int | None = None,
) -> Plan:
    """A plan by name or file, resolved: rates in rps, the hold as long as asked, the canary where it is due.

    `rate_rps` replaces the rate to prove, `hold` the length of the judged phases together.
    """
    path = named_file(name, PLANS, "plan")
    file = read_as(PlanFile, path, like="scenarios/plans/30k.yaml; docs/plans.md has every key")
    to_prove_rps = _rate(path, file) if rate_rps is None else checked_rate(rate_rps, where="--rate (RATE=)")
    phases = tuple(_phase(phase, to_prove_rps * file.offered_ratio, str(path)) for phase in file.phases)
    profile = Profile(
        phases=phases if hold is None else _held(phases, duration_s(hold, where="--duration (DURATION=)"))
    )
    plan = Plan(
        name=path.stem,
        workload=load_workload(workload) if workload else _workload(path, file),
        profile=profile if target.target_class is TargetClass.REHEARSAL else with_canary(profile),
        target=target,
        objectives=read_objectives(_beside(path, file.objectives), where=f"{path}: `objectives`: "),
        rate_to_prove_rps=to_prove_rps,
        workers=file.workers if workers is None else workers,
        sending=sending_beside(path, file.sending),
        abort=file.abort,
        thresholds=file.thresholds,
        watch_after_s=duration_s(file.watch_after, where=f"{path}: `watch_after`"),
        watch_scale_down=file.watch_scale_down,
    )
    if file.search is not None:
        plan = with_search(
            plan,
            file.search,
            phases=profile,
            seconds=lambda key, text: duration_s(text, where=f"{path}: `{key}`"),
            where=f"{path}: ",
        )
    check_plan(plan)
    check_tls_files(plan, where=str(path))
    return plan


def _rate(path: Path, file: PlanFile) -> float:
    return checked_rate(file.rate_to_prove_rps, where=f"{path}: `rate_to_prove_rps`")


def _workload(path: Path, file: PlanFile) -> Workload:
    return load_workload(_beside(path, file.workload), where=f"{path}: `workload`: ")


def checked_rate(rps: float, *, where: str) -> float:
    """A rate that can be meant."""
    if not 0 < rps <= HIGHEST_RPS:
        raise PlanError(
            f"{where}: {rps} requests a second cannot be proved.",
            remedy=f"Write a number above 0 and up to {HIGHEST_RPS:,.0f}.",
        )
    return rps


def duration_s(text: str, *, where: str) -> float:
    """Seconds of "90s", "3m", "1h30m": whole or decimal numbers, each with its unit, largest unit first."""
    match = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?", text.strip(), re.ASCII)
    if not match or not text.strip():
        raise PlanError(f"{where}: {text!r} is no duration.", remedy="Write 90s, 3m or 1h30m.")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    total_s = hours * 3600 + minutes * 60 + seconds
    if not 0 < total_s <= LONGEST_S:
        raise PlanError(f"{where}: {text!r} is not between 0 and a week.", remedy="Write 90s, 3m or 1h30m.")
    return total_s


def _beside(plan: Path, named: str) -> str:
    """What a plan names starts in its folder, as certificates do; what is not there, where golive was called."""
    return str(plan.parent / named) if (plan.parent / named.partition(":")[0]).is_file() else named


def _phase(file: PhaseFile, offered_rps: float, where: str) -> Phase:
    return Phase(
        name=file.name,
        duration_s=duration_s(file.duration, where=f"{where}: phase `{file.name}`: `duration`"),
        from_rps=file.from_share * offered_rps,
        to_rps=file.to_share * offered_rps,
        judged=file.judged,
    )


def _held(phases: tuple[Phase, ...], hold_s: float) -> tuple[Phase, ...]:
    """The judged phases stretched, in proportion, to last so long together."""
    judged_s = sum(phase.duration_s for phase in phases if phase.judged)
    if not judged_s:
        return phases
    return tuple(
        replace(phase, duration_s=phase.duration_s * hold_s / judged_s) if phase.judged else phase for phase in phases
    )


def named_file(name: str, folder: Path, what: str, *, where: str = "") -> Path:
    """A file by its name in a folder of ours, or by its own path; `where`: the place that names it."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if name in known:
        return folder / f"{name}.yaml"
    close = difflib.get_close_matches(name, known, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise PlanError(
        f"{where}There is no {what} {name!r}.{meant}",
        remedy=f"Known: {', '.join(known)}; or name a file ending in .yaml.",
    )


def list_plans() -> list[tuple[str, str]]:
    """Each plan's name and its first comment line."""
    found = []
    for path in sorted(PLANS.glob("*.yaml")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        found.append((path.stem, first.removeprefix("#").strip()))
    return found


def read_objectives(name: str, *, where: str = "") -> tuple[Objective, ...]:
    """Objectives by name or file; each name stands once."""
    path = named_file(name, OBJECTIVES, "objectives file", where=where)
    kind = tuple[Annotated[Objective, Field(discriminator="kind")], ...]
    objectives: tuple[Objective, ...] = read_as(kind, path, like="slo/objectives/go-live.yaml")
    if not objectives:
        raise PlanError(f"{path}: holds no objective.", remedy="Compare with slo/objectives/go-live.yaml.")
    problems = list(objective_problems(objectives))
    if problems:
        raise PlanError(
            "\n".join(f"{path}: {one}." for one in problems), remedy="Mend it there; slo/objectives/ has good ones."
        )
    return objectives


def read_targets(path: Path) -> tuple[Target, ...]:
    """The entries of targets.yaml; an empty file has none."""
    if read_yaml(path) is None:
        return ()
    targets = read_as(tuple[Target, ...], path, like="the example in targets.yaml")
    names = [one.name for one in targets]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not all(name.strip() for name in names):
        what = f"{', '.join(twice)} stands twice" if any(twice) else "a target has no name"
        raise PlanError(f"{path}: {what}.", remedy="Give each target a name of its own: it says where load may go.")
    for one in targets:
        if one.writes.at_most < 0:
            problem = f"{path}: `writes.at_most` of {one.name}: {one.writes.at_most} is not 0 or above."
            raise PlanError(problem, remedy="Write how many requests may write at most in one run.")
        check_metrics_url(one.prometheus_url, where=f"{path}: `prometheus_url` of {one.name}")
    # Only what a run needs is held to be there: not every machine has every target's key.
    return tuple(replace(one, tls=tls_beside(path, one.tls)) if one.tls else one for one in targets)


def read_rehearsal(name: str) -> dict[str, Any]:
    """A rehearsal platform's configuration, as written; the platform itself reads it strictly."""
    path = named_file(name, REHEARSALS, "rehearsal")
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise PlanError(f"{path}: is no mapping.", remedy="Compare with scenarios/rehearsals/tartware.yaml.")
    return content


def read_plan_json(path: Path) -> Plan:
    """The plan of a record."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise RecordUnreadable(f"{path} cannot be read: {wrong}.", remedy="Is this the folder of a run?") from wrong
    if not isinstance(content, Mapping):
        raise RecordUnreadable(f"{path} holds no plan.", remedy="Is this the folder of a run?")
    return plan_from_json(content)


def read_secrets(workload: Workload) -> dict[str, str]:
    """The secrets that the workload needs, from the environment."""
    names = secret_names(workload)
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise PlanError(
            f"The workload {workload.name!r} needs {', '.join(missing)}.",
            remedy="Set it in the environment; it is never written down.",
        )
    return {name: os.environ[name] for name in names}
