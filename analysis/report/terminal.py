"""The verdict for a terminal: at most 80 columns, one entry an objective with its because."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from analysis.report.headline import WORD
from analysis.report.wording import milliseconds, without_passwords
from slo.level import JudgedLevel
from slo.validity import Finding, Severity
from slo.verdict import Judgement, Outcome, Verdict
from slo.words import percent

COLUMNS = 80
SIGN = {Outcome.MET: "MET", Outcome.MISSED: "MISSED", Outcome.UNPROVEN: "UNPROVEN"}
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # a hostile name must not steer the terminal


def level_lines(levels: tuple[JudgedLevel, ...]) -> list[str]:
    """A search's levels, one a line and then its because, in the order they were held."""
    return [line for level in levels for line in _level_lines(level)]


def _level_lines(level: JudgedLevel) -> list[str]:
    failed = "" if level.failed_ratio is None else f", {percent(level.failed_ratio)} failed"
    by = f" by {', '.join(level.says.by)}" if level.says.by else ""
    figures = (
        f"{level.rate_rps:,.0f} rps held {level.held_s:,.0f} s{by}: "
        f"P95 {_latency(level.p95_ms)}, P99 {_latency(level.p99_ms)}{failed}"
    )
    return _wrapped(figures, first=f"{level.says.outcome.upper():<11}", then=" " * 11)


def _latency(time_ms: float | None) -> str:
    return "—" if time_ms is None else milliseconds(time_ms)


def summary_lines(verdict: Verdict) -> list[str]:
    """The findings that count, every objective with its because, and last the verdict itself."""
    lines = [line for judgement in verdict.judgements for line in _judgement_lines(judgement)]
    took_away = {kind for judgement in verdict.judgements for kind in judgement.voided_by}
    for finding in verdict.findings:
        lines += _finding_lines(finding, voids=finding.severity is Severity.VOIDS and finding.kind.value in took_away)
    met = sum(1 for one in verdict.judgements if one.required and one.outcome is Outcome.MET)
    required = sum(1 for one in verdict.judgements if one.required)
    return [*lines, f"{WORD[verdict.outcome]}: {met} of {required} required objectives met"]


def _judgement_lines(judgement: Judgement) -> Iterator[str]:
    optional = "" if judgement.required else " (not required)"
    figures = f"{judgement.objective}: {judgement.measured}, asked {judgement.target}{optional}"
    yield from _wrapped(figures, first=f"{SIGN[judgement.outcome]:<9}", then=" " * 11)
    yield from _wrapped(judgement.because, first=" " * 11, then=" " * 11)


def _finding_lines(finding: Finding, *, voids: bool) -> Iterator[str]:
    """As in the report: what might have taken an outcome away and took none is only noted."""
    head = "VOID" if voids else "NOTE"
    yield from _wrapped(f"{finding.kind.value}: {finding.what}", first=f"{head:<9}", then=" " * 11)
    if finding.remedy:
        yield from _wrapped(f"Remedy: {finding.remedy}", first=" " * 11, then=" " * 11)


def _wrapped(text: str, *, first: str, then: str) -> list[str]:
    plain = CONTROL.sub(" ", without_passwords(text))
    return textwrap.wrap(plain, COLUMNS, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)
