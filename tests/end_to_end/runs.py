"""Whole runs for the tests: the command's own path, on real parts, at a few hundred requests a second."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from loadtest.asked import Asked
from loadtest.rundown import run_plan
from loadtest.verdicts import conclude
from slo.verdict import Outcome, Verdict
from tests.end_to_end import driving

NOISY = f"thresholds: {{{driving.NOISY}}}\n"
PLAN = """\
# a short run for the tests
workload: ota-heavy
objectives: {objectives}
rate_to_prove_rps: 200
offered_ratio: {offered_ratio}
phases:
  - {{name: ramp, duration: 3s, from_share: 0, to_share: 1, judged: false}}
  - {{name: hold, duration: {hold}, from_share: 1, to_share: 1}}
watch_after: 8s
"""


@dataclass(frozen=True)
class Judged:
    """A run that has been driven and judged."""

    folder: Path
    ended: str
    verdict: Verdict
    said: str

    @property
    def missed(self) -> list[str]:
        return [one.objective for one in self.verdict.judgements if one.outcome is Outcome.MISSED]

    @property
    def unproven(self) -> list[str]:
        return [one.objective for one in self.verdict.judgements if one.outcome is Outcome.UNPROVEN]

    @property
    def findings(self) -> list[str]:
        return [finding.kind.value for finding in self.verdict.findings]

    def because(self, objective: str) -> str:
        return next(one.because for one in self.verdict.judgements if one.objective == objective)

    def events(self, kind: str) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == kind]


def run(
    folder: Path, *changes: str, hold: str = "20s", offered_ratio: float = 1.25, objectives: str = "smoke", **asked: Any
) -> Judged:
    """Drive the small rehearsal, changed, through the command's own path and judge it."""
    plan = folder / "short.yaml"
    plan.write_text(PLAN.format(hold=hold, offered_ratio=offered_ratio, objectives=objectives) + NOISY)
    out = io.StringIO()
    order = Asked(
        **{
            "plan": str(plan), "rate_rps": None, "duration": None, "workload": None, "target": None, "prometheus": None,
            "workers": None, "rehearsal": "small", "changes": changes, "ui": False, **asked,
        }
    )  # fmt: skip
    ended = run_plan(order, folder / "run", Console(file=out, width=200))
    return Judged(folder / "run", ended, conclude(folder / "run"), out.getvalue())
