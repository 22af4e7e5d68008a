from pathlib import Path

import numpy as np
import pytest

from analysis.report.worst_window import quantile_ms, worst_window
from slo.objective import Throughput
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.runs import run_of


def test_the_worst_window_lacks_the_most_answers(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(failed={17: {"status 503": 30}}))
    worst = worst_window(run.evidence, run.record.plan.objectives)
    assert worst is not None
    assert (worst.start_unix_s, worst.due, worst.ok) == (T0 + 15, 1000, 970)


def test_among_equals_the_slowest_is_the_worst(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(latency_ms=lambda t: (90.0 if t == 20 else 5.0,)))
    worst = worst_window(run.evidence, run.record.plan.objectives)
    assert worst is not None
    assert worst.start_unix_s == T0 + 15
    assert worst.p99_ms == pytest.approx(90, rel=0.001)


def test_it_is_as_long_as_the_throughput_objective_says(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(objectives=(Throughput(name="t", window_s=4),)))
    worst = worst_window(run.evidence, run.record.plan.objectives)
    assert worst is not None
    assert worst.duration_s == 4


def test_a_hold_nobody_saw_has_no_worst_window(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(stopped_at_s=3))
    assert worst_window(run.evidence, run.record.plan.objectives) is None


def test_a_window_without_answers_is_the_worst_and_has_no_latency(tmp_path: Path) -> None:
    dead = {t: {"refused": 80} for t in range(15, 25)}
    run = run_of(tmp_path / "run", Synthetic(mix={"availability": 1.0}, rps=80, failed=dead))
    worst = worst_window(run.evidence, run.record.plan.objectives)
    assert worst is not None
    assert (worst.ok, np.isnan(worst.p99_ms)) == (0, True)
    assert any("None of 800 due" in words for words in run.page().worst)


def test_quantiles_come_from_counts() -> None:
    assert quantile_ms(np.array([1000, 2000]), np.array([99, 1]), 0.99) == 1.0
    assert quantile_ms(np.array([1000, 2000]), np.array([98, 2]), 0.99) == 2.0
