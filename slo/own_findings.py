"""Whether golive's own processes grow, by the rule that the platform's are held to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from slo.evidence import Window
from slo.objective import Steady
from slo.steady import CALLED, judge_life
from slo.validity import Finding, FindingKind, Measurement, warns
from slo.verdict import Outcome


def own_findings(measurement: Measurement, hold: Window, seen_s: float) -> Iterator[Finding]:
    """Each of golive's processes that clearly grows, of those seen for so long: a longer run would end by it."""
    for of, series in measurement.own.items():
        usual = Steady(name="", of=of, at_least_s=seen_s)
        for one in series:
            life = judge_life(one, usual, hold)
            if life.outcome is Outcome.MISSED:
                yield warns(
                    FindingKind.GENERATOR_GROWS,
                    f"The {CALLED[of]} of {life.words}.",
                    "A fault of golive or of the workload's own code: report it, and keep runs short meanwhile.",
                )
