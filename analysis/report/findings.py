"""Findings about the measurement as they are told: one entry a kind, with what it took away."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.report.meanings import finding_title
from analysis.report.wording import into_run
from slo.validity import Finding, FindingKind
from slo.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All findings of one kind."""

    title: str
    kind: str
    what: str
    remedy: str
    when: str  # when the first of them began; "" when that is not known
    took_away: tuple[str, ...]  # the objectives that are unproven for it


def findings_told(verdict: Verdict, *, t0_unix_s: float | None) -> tuple[Told, ...]:
    """Every kind of finding once, in the order they were found; several of a kind become one entry."""
    kinds = dict.fromkeys(finding.kind for finding in verdict.findings)
    return tuple(
        _told(kind, [one for one in verdict.findings if one.kind is kind], verdict, t0_unix_s) for kind in kinds
    )


def _told(kind: FindingKind, findings: list[Finding], verdict: Verdict, t0_unix_s: float | None) -> Told:
    title = finding_title(kind)
    began = [one.at_unix_s for one in findings if one.at_unix_s is not None]
    when = "" if t0_unix_s is None or not began else f"{into_run(min(began) - t0_unix_s)} into the run"
    return Told(
        title=title if title.startswith("golive") else title[:1].upper() + title[1:],
        kind=kind.value,
        what=_sentences([_without(title, one.what) for one in findings]),
        remedy=_sentences([one.remedy for one in findings]),
        when=when,
        took_away=tuple(
            one.objective
            for one in verdict.judgements
            if kind.value in one.voided_by and one.outcome is Outcome.UNPROVEN
        ),
    )


def _without(title: str, what: str) -> str:
    """A finding's words without its title, which stands before them already."""
    begins = what[: len(title) + 2].lower() == f"{title}: ".lower()
    return what[len(title) + 2 :] if begins else what


def _sentences(texts: list[str]) -> str:
    """Each text once, with its full stop."""
    return " ".join(text if text[-1] in ".!?" else f"{text}." for text in dict.fromkeys(texts) if text)
