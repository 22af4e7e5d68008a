"""How to do it again: the commands that repeat the run, judge its record anew or write this report again."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from analysis.results import RunRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command line and what it does."""

    line: str
    does: str


def commands(record: RunRecord) -> tuple[Command, ...]:
    """The commands, the most useful first."""
    run = shlex.quote(record.header.run_id)
    return (
        Command(line=_again(record), does="asks for the same run again; plan.json keeps every value of this one"),
        Command(line=f"golive judge {run}", does="judges this record again, offline"),
        Command(line=f"golive judge {run} --objectives FILE", does="judges it by other objectives"),
        Command(line=f"golive report {run}", does="writes this report again"),
    )


def _again(record: RunRecord) -> str:
    header, plan = record.header, record.plan
    if header.command:
        return header.command
    hold_s = sum(phase.duration_s for phase in plan.profile.phases if phase.judged)
    parts = [
        "golive run",
        shlex.quote(header.plan_name),
        f"--rate {plan.rate_to_prove_rps:.12g}",
        f"--duration {hold_s:g}s",
    ]
    if not header.rehearsal:
        parts.append(f"--target {shlex.quote(header.target_name)}")
    if header.workers != 1:
        parts.append(f"--workers {header.workers}")
    return " ".join(parts)
