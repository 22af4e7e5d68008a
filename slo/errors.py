"""Error rate and availability: complete counts, compared exactly; the server's own counts may veto."""

from __future__ import annotations

from dataclasses import dataclass

from slo.answer import Answer, unproven
from slo.evidence import ClientLoad, Evidence, NotSeen, ServerLoad
from slo.objective import Availability, ErrorRatio
from slo.verdict import Outcome
from slo.words import asked, number, percent


def judge_error_ratio(objective: ErrorRatio, evidence: Evidence) -> Answer:
    """Of all requests sent, fewer than this share was not answered as expected; a step that polls is one of them."""
    target = f"errors < {asked(objective.below_ratio * 100)} %"
    if isinstance(evidence.client, NotSeen):
        return unproven(target, evidence.client.because)
    sent, failed = int(evidence.client.decided.sum()), int(evidence.client.failed.sum())
    if not sent:
        return unproven(target, "nothing was sent in the hold", source=evidence.client.source)
    met = failed / sent < objective.below_ratio
    words = f"{number(failed)} of {number(sent)} requests failed ({percent(failed / sent)}){_kinds(evidence.client)}"
    if waited := int(evidence.client.not_yet.sum()):
        words += f"; {number(waited)} answers of polls said 'not yet' and count as none of them"
    server_missed, server = _server_errors(evidence.server, objective.below_ratio)
    answer = _Seen(met=met, words=words, target=target, measured=percent(failed / sent), failing=failed)
    return _answer(evidence, answer, server_missed=server_missed, server=server)


def judge_availability(objective: Availability, evidence: Evidence) -> Answer:
    """Of all requests sent, at least this share met a platform that was there."""
    target = f"availability ≥ {asked(objective.at_least_ratio * 100)} %"
    if isinstance(evidence.client, NotSeen):
        return unproven(target, evidence.client.because)
    sent, unavailable = int(evidence.client.sent.sum()), int(evidence.client.unavailable.sum())
    if not sent:
        return unproven(target, "nothing was sent in the hold", source=evidence.client.source)
    met = (sent - unavailable) / sent >= objective.at_least_ratio
    words = (
        f"{number(sent - unavailable)} of {number(sent)} requests met an available platform "
        f"({percent((sent - unavailable) / sent)}), in this run; a promise over 30 days stays unproven by it"
    )
    server_missed, server = _server_errors(evidence.server, 1 - objective.at_least_ratio, at_most=True)
    available = percent((sent - unavailable) / sent)
    answer = _Seen(met=met, words=words, target=target, measured=available, failing=unavailable)
    return _answer(evidence, answer, server_missed=server_missed, server=server)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the client saw, before the server is heard."""

    met: bool
    words: str
    target: str
    measured: str
    failing: int


def _answer(evidence: Evidence, seen: _Seen, *, server_missed: bool, server: str) -> Answer:
    assert isinstance(evidence.client, ClientLoad)
    outcome, words = Outcome.MET if seen.met else Outcome.MISSED, seen.words
    if seen.met and server_missed:
        outcome, words = Outcome.MISSED, f"the server's own counts say otherwise: {server}; client: {words}"
    elif seen.met and not evidence.hold_complete:
        outcome, words = Outcome.UNPROVEN, f"the hold was cut short; {words}"
    return Answer(
        outcome=outcome,
        because=words,
        target=seen.target,
        measured=seen.measured,
        interval="exact count",
        source=evidence.client.source,
        server_side=server,
    )


def _server_errors(server: ServerLoad | NotSeen, limit_ratio: float, *, at_most: bool = False) -> tuple[bool, str]:
    if isinstance(server, NotSeen):
        return False, server.because
    if server.requests <= 0:
        return False, "it counted no requests in the hold"
    ratio = server.errors / server.requests
    # Counters are read at scrapes and interpolated at the hold's edges: a veto must be clear of that.
    missed = ratio > limit_ratio * 1.001 if at_most else ratio >= limit_ratio
    return missed, f"{number(server.errors)} of {number(server.requests)} answers were 5xx ({percent(ratio)})"


def _kinds(client: ClientLoad) -> str:
    worst = sorted(client.failed_by_kind.items(), key=lambda entry: -entry[1])[:3]
    return ": " + ", ".join(f"{number(count)} {kind}" for kind, count in worst if count) if worst else ""
