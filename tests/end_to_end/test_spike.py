"""A spike for real: a platform with room keeps its promises, one whose backlog outlives the spike comes back late."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest.verdicts import conclude
from scenarios.files import OBJECTIVES
from slo.verdict import Outcome, RunOutcome
from tests.end_to_end.runs import NOISY, Judged, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

# 60 requests/s and 200 in the spike. The calm before it is the hold: what the spike does is recovery's alone to tell.
PLAN = """\
# a short spike for the tests
workload: ota-heavy
objectives: OBJECTIVES
rate_to_prove_rps: 48
offered_ratio: 1.25
phases:
  - {name: ramp, duration: 3s, from_share: 0, to_share: 1, judged: false}
  - {name: hold, duration: 12s, from_share: 1, to_share: 1}
  - {name: spike, duration: 6s, from_share: 3.334, to_share: 3.334, judged: false}
  - {name: back, duration: {back}, from_share: 1, to_share: 1, judged: false}
watch_after: 4s
"""
RECOVERY = """\
- {{kind: recovery, name: recovery, within_s: {within_s}, window_s: 3, held_for_s: 6,
   quantile_ratio: 0.95, latency_below_ms: 450, errors_below_ratio: 0.04}}
"""
# Two replicas of one slot each, 21.5 ms a request, answer 93/s; of the spike's 200, 172 are theirs. More replicas are
# asked for and do not become ready, so what the spike left, some 470, is worked off at what the 60 leave: 41/s.
SLOW = (
    "services.core.concurrency=1", "services.core.queue=4000", "services.core.time_ms={p50: 20, p99: 20}",
    "services.core.autoscaler.target=0.7", "faults.never_ready=[core]",
)  # fmt: skip


def a_spike(folder: Path, *changes: str, back: str) -> Judged:
    plan, objectives = folder / "spike.yaml", folder / "own.yaml"
    objectives.write_text((OBJECTIVES / "smoke.yaml").read_text() + RECOVERY.format(within_s=6))
    plan.write_text(PLAN.replace("OBJECTIVES", str(objectives)).replace("{back}", back) + NOISY)
    return run(folder, *changes, plan=str(plan))


def test_a_platform_with_room_never_leaves_its_promises(tmp_path: Path) -> None:
    judged = a_spike(tmp_path, back="12s")
    assert judged.verdict.outcome is RunOutcome.PASSED
    assert judged.because("recovery").startswith("never left its promises")


def test_a_backlog_that_outlives_the_spike_misses_recovery_alone_and_meets_a_longer_time(tmp_path: Path) -> None:
    judged = a_spike(tmp_path, *SLOW, back="21s")
    assert (judged.missed, judged.unproven) == (["recovery"], [])
    assert judged.verdict.outcome is RunOutcome.FAILED
    (told,) = json.loads((judged.folder / "verdict.json").read_text())["recoveries"]
    assert 6 < told["back_after_end_s"] <= 15
    longer = tmp_path / "longer.yaml"
    longer.write_text(RECOVERY.format(within_s=15))
    again = conclude(judged.folder, objectives=str(longer))
    assert [one.outcome for one in again.judgements] == [Outcome.MET]
