"""The verdict in one word and one honest sentence."""

from __future__ import annotations

from analysis.report.meanings import finding_title
from analysis.report.wording import listed, plural
from slo.verdict import Judgement, Outcome, RunOutcome, Verdict

WORD = {RunOutcome.PASSED: "PASSED", RunOutcome.FAILED: "FAILED", RunOutcome.NOT_PROVEN: "NOT PROVEN"}
NAMED_AT_MOST = 4
CAUSES_AT_MOST = 2


def sentence(verdict: Verdict, *, load: str) -> str:
    """What the verdict says and no more. load: what was driven, "at 30,000 requests/s for 3 min"; "" for nothing."""
    required = [judgement for judgement in verdict.judgements if judgement.required]
    if not load:
        return f"No load was driven, so nothing could be proven or refuted.{_optional(verdict)}"
    if not required:
        return "No objective was required of this run, so it proves nothing."
    match verdict.outcome:
        case RunOutcome.PASSED:
            text = f"{_all(len(required))} met {load}."
        case RunOutcome.FAILED:
            text = _failed(required)
        case RunOutcome.NOT_PROVEN:
            text = _not_proven(required, verdict)
    return text[:1].upper() + text[1:] + _optional(verdict)


def _all(required: int) -> str:
    return "The one required objective was" if required == 1 else f"All {required} required objectives were"


def _failed(required: list[Judgement]) -> str:
    missed, unproven = _of(required, Outcome.MISSED), _of(required, Outcome.UNPROVEN)
    text = f"{_some(missed, required)} missed: {_named(missed)}."
    return f"{text} {_also(unproven)} unproven: {_named(unproven)}." if unproven else text


def _not_proven(required: list[Judgement], verdict: Verdict) -> str:
    unproven, met = _of(required, Outcome.UNPROVEN), _of(required, Outcome.MET)
    text = f"{_some(unproven, required)} not proven: {_named(unproven)}."
    if met:
        text += f" The other {len(met)} {'was' if len(met) == 1 else 'were'} met."
    kinds = {kind for judgement in unproven for kind in judgement.voided_by}
    causes = dict.fromkeys(finding_title(one.kind) for one in verdict.findings if one.kind.value in kinds)
    return f"{text} The measurement itself was disturbed: {_causes(list(causes))}." if causes else text


def _causes(titles: list[str]) -> str:
    more = len(titles) - CAUSES_AT_MOST
    return "; ".join(titles[:CAUSES_AT_MOST]) + (f"; and {more} more" if more > 0 else "")


def _of(judgements: list[Judgement], outcome: Outcome) -> list[Judgement]:
    return [judgement for judgement in judgements if judgement.outcome is outcome]


def _some(chosen: list[Judgement], among: list[Judgement]) -> str:
    verb = "was" if len(chosen) == 1 else "were"
    if len(among) == 1:
        return "the one required objective was"
    return f"{len(chosen)} of {len(among)} required objectives {verb}"


def _also(unproven: list[Judgement]) -> str:
    return "Another is" if len(unproven) == 1 else f"{len(unproven)} more are"


def _named(judgements: list[Judgement]) -> str:
    return listed(_short([judgement.objective for judgement in judgements]))


def _short(names: list[str]) -> list[str]:
    if len(names) <= NAMED_AT_MOST:
        return names
    return [*names[: NAMED_AT_MOST - 1], f"{len(names) - NAMED_AT_MOST + 1} more"]


def _optional(verdict: Verdict) -> str:
    """What did not hold although nobody required it: it decides nothing, and is not hidden."""
    missed = [one for one in verdict.judgements if not one.required and one.outcome is Outcome.MISSED]
    if not missed:
        return ""
    one = len(missed) == 1
    verbs = ("is", "was") if one else ("are", "were")
    return f" {plural(len(missed), 'objective')} that {verbs[0]} not required {verbs[1]} missed too."
