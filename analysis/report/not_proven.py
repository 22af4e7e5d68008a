"""What a run does not prove, however well it went: the owner's criteria that no load run can test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.report.load_words import offered
from analysis.report.wording import duration
from scenarios.plan import Plan
from scenarios.target import TargetClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One criterion that stays open, and what would close it."""

    what: str
    how: str


# The operational criteria of a go-live checklist: each needs something else than load.
OPERATIONAL = (
    Gap(what="Failures detected within 5 min (MTTD)", how="needs a fault drill"),
    Gap(what="Failures answered within 15 min (MTTR)", how="needs a fault drill"),
    Gap(what="Zero unplanned downtime", how="needs weeks of operation"),
    Gap(what="99.9 % availability over 30 days", how="needs 30 days"),
    Gap(what="All backups successful", how="needs a restore"),
    Gap(what="All security scans passing", how="needs the scans"),
)


def gaps_of(plan: Plan, *, rehearsal: bool) -> tuple[Gap, ...]:
    """What stays open after this run, the most important first."""
    return (*_about_the_platform(plan, rehearsal=rehearsal), *OPERATIONAL, _beyond(plan))


def _about_the_platform(plan: Plan, *, rehearsal: bool) -> Iterator[Gap]:
    if rehearsal:
        yield Gap(what="Anything about your platform", how="this drove golive's own stand-in")
    elif plan.target.target_class is not TargetClass.PRODUCTION:
        yield Gap(what="Production itself", how=f"this drove {plan.target.name}, a {plan.target.target_class} platform")


def _beyond(plan: Plan) -> Gap:
    judged_s = sum(phase.duration_s for phase in plan.profile.phases if phase.judged)
    return Gap(what=f"More than {offered(plan)}, or longer than {duration(judged_s)}", how="needs another plan")
