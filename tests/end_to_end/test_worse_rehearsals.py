"""A rehearsal made worse in one way: the one objective that speaks of it flips, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from slo.verdict import RunOutcome
from tests.end_to_end.runs import run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TWO_SPEEDS = "services.core.time_ms={choices: [{ms: 5, weight: 0.97}, {ms: 1000, weight: 0.03}]}"


def test_the_rehearsal_as_it_is_passes(tmp_path: Path) -> None:
    judged = run(tmp_path)
    assert judged.verdict.outcome is RunOutcome.PASSED
    assert judged.findings == []
    assert {"report.html", "report.md", "verdict.json", "manifest.json", "timeline.parquet", "due.json"} <= {
        file.name for file in judged.folder.iterdir()
    }


@pytest.mark.parametrize(
    ("changes", "objective"),
    [
        (["faults.answer_delay_ms=600"], "p95-latency"),
        ([TWO_SPEEDS, "services.core.concurrency=64"], "p99-latency"),
        (["faults.errors={core: {ratio: 0.06, status: 409}}"], "error-rate"),
        (["faults.errors={core: {ratio: 0.01, status: 503}}"], "availability"),
        (["faults.queue_speed={reservations-command: 0.02}"], "backlog"),
        (["services.core.autoscaler.target=0.001", "services.core.max=3"], "scaling"),
        (["services.core.autoscaler.target=0.001", "faults.never_ready=[core]"], "scaling"),
    ],
    ids=["slow answers", "a slow tail", "refusals", "5xx", "a slow queue", "a capped autoscaler", "unready replicas"],
)
def test_one_thing_worse_flips_one_objective(tmp_path: Path, changes: list[str], objective: str) -> None:
    judged = run(tmp_path, *changes)
    assert (judged.missed, judged.unproven) == ([objective], [])
    assert judged.verdict.outcome is RunOutcome.FAILED


def test_too_little_answered_correctly_flips_throughput_alone(tmp_path: Path) -> None:
    judged = run(tmp_path, "faults.errors={core: {ratio: 0.035, status: 409}}", offered_ratio=1.0)
    assert (judged.missed, judged.unproven) == (["throughput"], [])


def test_the_capped_autoscaler_is_named_with_its_reason(tmp_path: Path) -> None:
    judged = run(tmp_path, "services.core.autoscaler.target=0.001", "services.core.max=3")
    assert "core: at max 3 while wanting more (ScalingLimited: TooManyReplicas) for" in judged.because("scaling")
