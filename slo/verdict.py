"""Whether it held: three-valued outcomes, each with its because, and the run's own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from slo.validity import Finding


class Outcome(StrEnum):
    """The answer to one objective."""

    MET = "met"
    MISSED = "missed"
    UNPROVEN = "unproven"


class RunOutcome(StrEnum):
    """The answer to the whole run."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_PROVEN = "not proven"

    @property
    def exit_code(self) -> int:
        """What the `golive` process ends with."""
        return {RunOutcome.PASSED: 0, RunOutcome.FAILED: 1, RunOutcome.NOT_PROVEN: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The outcome of one objective and what it rests on, in words a signer reads."""

    objective: str
    kind: str
    outcome: Outcome
    because: str  # counts, interval, source
    target: str  # "P95 < 450 ms"
    measured: str  # "187 ms"; "—" when nothing was
    interval: str  # "181–195 ms (95 %)"; "exact count"; "—"
    source: str  # whose evidence decided: "client, 5,670,000 requests"
    required: bool
    server_side: str = "—"  # what the server's own evidence says of the same thing
    voided_by: tuple[str, ...] = ()  # kinds of the findings that took the outcome away


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judged run."""

    outcome: RunOutcome
    judgements: tuple[Judgement, ...]
    findings: tuple[Finding, ...]
