"""How many requests it takes to say anything. Pure arithmetic: whatever checks a plan may ask for it."""

from __future__ import annotations

import math

from slo.objective import Recovery
from slo.words import duration, number

CONFIDENCE_RATIO = 0.95


def needed_for(quantile_ratio: float) -> int:
    """The fewest requests that can say anything of a quantile at 95 %: ln 0.05 / ln q (59 for P95, 299 for P99)."""
    return math.ceil(math.log(1 - CONFIDENCE_RATIO) / math.log(quantile_ratio))


def too_few(seen: int, needed: int, held_s: float, *, what: str) -> str:
    """The words for it, with how much longer would give them; "" when there are enough."""
    if seen >= needed:
        return ""
    longer = f"; about {duration(held_s * (needed / seen - 1))} more of hold would give them" if seen else ""
    return f"{what} needs at least {number(needed)} requests and had {number(seen)}{longer}"


def needed_in_window(objective: Recovery) -> int:
    """The fewest requests in a window that can say anything of both promises: 74 for P95 and errors below 4 %."""
    return max(needed_for(objective.quantile_ratio), needed_for(1 - objective.errors_below_ratio))
