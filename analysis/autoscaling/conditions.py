"""How long each condition of an HPA stood as it was, from looks at it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from slo.evidence import Condition, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One condition at one look."""

    at_unix_s: float
    holds: bool
    reason: str = ""
    message: str = ""


def stretches(kind: str, states: Sequence[State], most_apart_s: float) -> tuple[Condition, ...]:
    """What followed each other without a change. A state lasts until the next look, unless that lies too far away."""
    found: list[Condition] = []
    for state, after in pairwise([*states, None]):
        if state is None:
            break
        soon = after is not None and after.at_unix_s - state.at_unix_s <= most_apart_s
        end_unix_s = after.at_unix_s if after is not None and soon else state.at_unix_s
        start_unix_s = state.at_unix_s
        if found and found[-1].window.end_unix_s == start_unix_s and _is(found[-1], state):
            start_unix_s = found.pop().window.start_unix_s
        window = Window(start_unix_s=start_unix_s, end_unix_s=end_unix_s)
        found.append(Condition(kind=kind, holds=state.holds, reason=state.reason, message=state.message, window=window))
    return tuple(found)


def _is(standing: Condition, state: State) -> bool:
    return (standing.holds, standing.reason) == (state.holds, state.reason)
