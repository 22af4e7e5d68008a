"""Records of runs with a spike in their rate line, and of how they came back from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scenarios.profile import Phase, Profile
from slo.objective import Latency, Objective, Recovery
from tests.analysis.records import Synthetic

HELD_BEFORE = (("calm", 20.0, 10.0, True), ("spike", 10.0, 100.0, False), ("back", 60.0, 10.0, False))
HELD_AFTER = (("calm", 20.0, 10.0, False), HELD_BEFORE[1], ("back", 45.0, 10.0, False), ("hold", 15.0, 10.0, True))
ASKED: tuple[Objective, ...] = (
    Latency(name="p95", quantile_ratio=0.95, below_ms=450),
    Recovery(name="recovery", quantile_ratio=0.95, latency_below_ms=450, errors_below_ratio=0.04),
)


def spiked(phases: tuple[tuple[str, float, float, bool], ...] = HELD_BEFORE, **changes: Any) -> Synthetic:
    """A run that is slow from 23 s to 65 s into the load: back 35 s after its spike, which lasts from 20 s to 30 s."""
    line = Profile(
        phases=tuple(
            Phase(name=name, duration_s=lasts_s, from_rps=rps, to_rps=rps, judged=judged)
            for name, lasts_s, rps, judged in phases
        )
    )
    run = Synthetic(
        warm_s=0, hold_s=90, objectives=ASKED, plan_changes={"profile": line},
        latency_ms=lambda t: (900.0,) if 23 <= t < 65 else (5.0,),
    )  # fmt: skip
    return replace(run, **changes)
