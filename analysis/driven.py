"""A search as it went: the legs it drove, as one rate line, and the stretch of each level that counts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.events import Event
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.search import SETTLED


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenLeg:
    """One leg, as its events tell it. ended_unix_s: None for one that nobody saw the end of."""

    number: int
    purpose: str
    level: int
    rate_rps: float
    t0_unix_s: float
    ended_unix_s: float | None
    ended_because: str
    phases: tuple[Phase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DrivenLevel:
    """One level, as its events tell it. began_unix_s: its ramp; watched_until_unix_s: when the next load began."""

    number: int
    rate_rps: float
    offered_rps: float
    began_unix_s: float
    from_unix_s: float
    until_unix_s: float
    ended_unix_s: float
    watched_until_unix_s: float | None
    because: str  # why it was held no longer
    aborted: str  # the abort limit that ended it, "" for none
    aborted_what: str
    said_live: str  # what the judge said of it while the run went on; "" when it was never asked


def driven_plan(plan: Plan, events: Sequence[Event]) -> Plan:
    """The plan with the rate line that was driven; of a search only its last proof is judged."""
    legs = driven_legs(events)
    if plan.search is None or not legs:
        return plan
    last = judged_leg(legs)
    phases = tuple(phase for leg, after in _with_next(legs) for phase in _driven(leg, after, judged=leg is last))
    rate_rps = last.rate_rps if last else plan.rate_to_prove_rps
    return replace(plan, profile=Profile(phases=phases), rate_to_prove_rps=rate_rps)


def judged_leg(legs: Sequence[DrivenLeg]) -> DrivenLeg | None:
    """The last proof of a search; None where there was none."""
    proofs = [leg for leg in legs if leg.purpose == "proof"]
    return proofs[-1] if proofs else None


def driven_legs(events: Sequence[Event]) -> tuple[DrivenLeg, ...]:
    """Every leg that began, in order."""
    ended = {event.fields["leg"]: event for event in events if event.kind == "leg_ended"}
    return tuple(_leg(event, ended.get(event.fields["leg"])) for event in events if event.kind == "leg_started")


def _leg(began: Event, ended: Event | None) -> DrivenLeg:
    return DrivenLeg(
        number=int(began.fields["leg"]),
        purpose=str(began.fields["purpose"]),
        level=int(began.fields["level"]),
        rate_rps=float(began.fields["rate_rps"]),
        t0_unix_s=float(began.fields["t0_unix_s"]),
        ended_unix_s=ended.at_unix_s if ended else None,
        ended_because=str(ended.fields["because"]) if ended else "",
        phases=tuple(Phase(**phase) for phase in began.fields["phases"]),
    )


def driven_levels(events: Sequence[Event]) -> tuple[DrivenLevel, ...]:
    """Every level that came to an end of its own, or that an abort limit ended, were it with the whole run.

    One that somebody's stop cut off says nothing.
    """
    legs = driven_legs(events)
    told = {kind: {event.fields.get("level"): event for event in events if event.kind == kind}
            for kind in ("level_held", "level_hold_started", "level_aborted", "level_decided")}  # fmt: skip
    found = []
    for leg in legs:
        held, abort = told["level_held"].get(leg.level), told["level_aborted"].get(leg.level)
        if not leg.level or leg.ended_unix_s is None or not (held or abort):
            continue
        if held and not abort and leg.ended_because != held.fields["because"]:
            continue  # the whole run was ended in the middle of it
        from_unix_s, until_unix_s = _held_between(held, told["level_hold_started"].get(leg.level), leg.ended_unix_s)
        said = told["level_decided"].get(leg.level)
        found.append(DrivenLevel(
            number=leg.level, rate_rps=leg.rate_rps, offered_rps=leg.phases[-1].to_rps, began_unix_s=leg.t0_unix_s,
            from_unix_s=from_unix_s, until_unix_s=until_unix_s,
            ended_unix_s=leg.ended_unix_s, watched_until_unix_s=_next_load(leg, legs),
            because=str(held.fields["because"]) if held else leg.ended_because,
            aborted=str(abort.fields["limit"]) if abort else "",
            aborted_what=str(abort.fields["what"]) if abort else "",
            said_live=str(said.fields["outcome"]) if said else "",
        ))  # fmt: skip
    return tuple(found)


def _held_between(held: Event | None, began: Event | None, ended_unix_s: float) -> tuple[float, float]:
    """The seconds of a level that count; none of one that was aborted before they began."""
    if held:
        return float(held.fields["from_unix_s"]), float(held.fields["until_unix_s"])
    end_unix_s = float(math.floor(ended_unix_s))
    return min(float(began.fields["from_unix_s"]), end_unix_s) if began else end_unix_s, end_unix_s


def driven_proofs(events: Sequence[Event]) -> tuple[DrivenLevel, ...]:
    """Every proof that was driven to its end, as a level is: the judged phases of its line, on whole seconds.

    One at a platform that had not settled since the level before tells of that level, and not of its own rate.
    """
    legs = driven_legs(events)
    unsettled = {leg.number + 1 for leg in legs if leg.purpose == "rest" and leg.ended_because != SETTLED}
    proofs = [leg for leg in legs if leg.purpose == "proof" and leg.number not in unsettled]
    return tuple(_proof(leg, legs) for leg in proofs if _went_to_its_end(leg))


def _went_to_its_end(leg: DrivenLeg) -> bool:
    lasts_s = sum(phase.duration_s for phase in leg.phases)
    return leg.ended_unix_s is not None and leg.ended_unix_s >= leg.t0_unix_s + lasts_s


def _proof(leg: DrivenLeg, legs: Sequence[DrivenLeg]) -> DrivenLevel:
    assert leg.ended_unix_s is not None
    starts_s = Profile(phases=leg.phases).starts_s()
    judged = [(start_s, phase) for start_s, phase in zip(starts_s, leg.phases, strict=True) if phase.judged]
    (first_s, _), (last_s, last) = judged[0], judged[-1]
    return DrivenLevel(
        number=0, rate_rps=leg.rate_rps, offered_rps=last.to_rps, began_unix_s=leg.t0_unix_s,
        from_unix_s=float(math.ceil(leg.t0_unix_s + first_s)),
        until_unix_s=float(math.floor(leg.t0_unix_s + last_s + last.duration_s)),
        ended_unix_s=leg.ended_unix_s, watched_until_unix_s=_next_load(leg, legs), because=leg.ended_because,
        aborted="", aborted_what="", said_live="",
    )  # fmt: skip


def _next_load(leg: DrivenLeg, legs: Sequence[DrivenLeg]) -> float | None:
    """When the next load began that is no rest; None when none came."""
    return min((one.t0_unix_s for one in legs if one.t0_unix_s > leg.t0_unix_s and one.purpose != "rest"), default=None)


def _with_next(legs: tuple[DrivenLeg, ...]) -> Iterator[tuple[DrivenLeg, DrivenLeg | None]]:
    return zip(legs, (*legs[1:], None), strict=True)


def _driven(leg: DrivenLeg, after: DrivenLeg | None, *, judged: bool) -> Iterator[Phase]:
    """A leg's phases as far as they went, and the pause up to the next leg.

    The judged leg keeps its whole line: what is missing at its end was to be held.
    """
    lasted_s = sum(phase.duration_s for phase in leg.phases)
    if leg.ended_unix_s is not None and not judged:
        lasted_s = min(lasted_s, leg.ended_unix_s - leg.t0_unix_s)
    yield from _first(leg.phases, lasted_s, judged=judged)
    pause_s = after.t0_unix_s - leg.t0_unix_s - lasted_s if after else 0.0
    if pause_s > 0:
        yield Phase(name=f"pause-{leg.number}", duration_s=pause_s, from_rps=0.0, to_rps=0.0, judged=False)


def _first(phases: tuple[Phase, ...], lasted_s: float, *, judged: bool) -> Iterator[Phase]:
    for phase in phases:
        inside_s = min(phase.duration_s, lasted_s)
        if inside_s <= 0:
            return
        reached_rps = phase.from_rps + (phase.to_rps - phase.from_rps) * inside_s / phase.duration_s
        yield replace(phase, duration_s=inside_s, to_rps=reached_rps, judged=judged and phase.judged)
        lasted_s -= inside_s
