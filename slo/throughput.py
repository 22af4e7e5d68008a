"""Throughput: of the requests due in each window of the hold, enough were answered correctly in time."""

from __future__ import annotations

import numpy as np

from slo.answer import Answer, unproven
from slo.evidence import Evidence, NotSeen
from slo.objective import RATE_TO_PROVE, Throughput
from slo.verdict import Outcome
from slo.words import asked, instant, number, rps


def judge_throughput(objective: Throughput, evidence: Evidence) -> Answer:
    """Every window of the hold must reach the rate; counts are complete, so they are compared exactly."""
    rate_rps = evidence.rate_to_prove_rps if objective.at_least_rps == RATE_TO_PROVE else objective.at_least_rps
    needed = rate_rps * objective.window_s
    target = f"≥ {asked(rate_rps)} rps answered correctly in each {objective.window_s} s"
    client = evidence.client
    if isinstance(client, NotSeen):
        return unproven(target, client.because)
    starts = window_starts(len(client.fulfilled), objective.window_s, to_the_end=evidence.hold_complete)
    answered = np.array([client.fulfilled[at : at + objective.window_s].sum() for at in starts], dtype=np.int64)
    if not len(answered):
        held = f"the hold lasted {len(client.seconds_unix)} s, less than one window of {objective.window_s} s"
        return unproven(target, held, source=client.source)
    worst = int(answered.argmin())
    enough = int((answered >= needed).sum())
    words = (
        f"{enough} of {len(answered)} windows of {objective.window_s} s reached {asked(needed)}; the worst, at "
        f"{instant(client.seconds_unix[starts[worst]])}, had {number(answered[worst])}"
    )
    outcome = Outcome.MET if enough == len(answered) else Outcome.MISSED
    if outcome is Outcome.MISSED and client.due_beforehand:
        due = np.array([client.due[at : at + objective.window_s].sum() for at in starts], dtype=np.int64)
        if (due[answered < needed] < needed).all():
            outcome = Outcome.UNPROVEN
            words = (
                f"no platform could have: only {number(due.min())} requests were due in a window; offer more. {words}"
            )
    if outcome is Outcome.MET and not evidence.hold_complete:
        outcome, words = Outcome.UNPROVEN, f"not sustained for as long as planned; {words}"
    return Answer(
        outcome=outcome,
        because=words,
        target=target,
        measured=f"{rps(answered[worst] / objective.window_s)} rps in the worst window",
        interval="exact count",
        source=client.source,
        server_side=_server_side(evidence),
    )


def window_starts(seconds: int, window_s: int, *, to_the_end: bool = True) -> tuple[int, ...]:
    """Where the windows of a hold begin: one after the other, and where a rest is left, one more that ends with it.

    to_the_end: false leaves the rest out, as of a hold that was cut short: what was in flight then was cut, too.
    """
    whole = tuple(range(0, seconds - window_s + 1, window_s))
    return (*whole, seconds - window_s) if whole and seconds % window_s and to_the_end else whole


def _server_side(evidence: Evidence) -> str:
    if isinstance(evidence.server, NotSeen):
        return evidence.server.because
    return f"{rps(evidence.server.requests / evidence.hold.duration_s)} rps on average over the hold"
