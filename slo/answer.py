"""What one module of the judgement hands to the next: an outcome and its words, before findings are weighed."""

from __future__ import annotations

from dataclasses import dataclass

from slo.verdict import Outcome

NOTHING = "—"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one objective by its evidence alone. See Judgement for the fields."""

    outcome: Outcome
    because: str
    target: str
    measured: str = NOTHING
    interval: str = NOTHING
    source: str = NOTHING
    server_side: str = NOTHING


def unproven(target: str, because: str, *, source: str = NOTHING) -> Answer:
    """Nothing was shown, in either direction."""
    return Answer(outcome=Outcome.UNPROVEN, because=because, target=target, source=source)
