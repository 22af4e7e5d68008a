"""The time under way inside a stretch: exact at its ends, however long answers take and however fast that grows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.hold import hold_of
from analysis.results import read_record
from analysis.under_way import under_way_s, written_after
from slo.findings import find
from slo.validity import FindingKind, Thresholds
from tests.analysis.records import Synthetic
from tests.slo.builders import client, evidence, measurement

RPS, WARM_S, HOLD_S = 100, 5, 20
Latency = Callable[[int], float]


def in_flight(latency_s: Latency, *, late_s: float = 0.0) -> float:
    """As samples see it: on average over the hold, of requests evenly spread over each second."""
    due_s = np.arange(0, WARM_S + HOLD_S, 1 / RPS) + 0.5 / RPS
    begin_s = due_s + late_s
    end_s = begin_s + np.array([latency_s(int(at)) for at in due_s])
    at_s = np.arange(WARM_S, WARM_S + HOLD_S, 0.01)[:, None]
    return float(((begin_s <= at_s) & (at_s < end_s)).sum(axis=1).mean())


def under_way(folder: Path, latency_s: Latency, *, late_s: float = 0.0, **changes: object) -> tuple[float, float]:
    run = Synthetic(
        warm_s=WARM_S, hold_s=HOLD_S, rps=RPS, latency_ms=lambda t: (1000 * latency_s(t),), **changes,  # type: ignore[arg-type]
    )  # fmt: skip
    run.write(folder)
    record = read_record(folder)
    low, high = under_way_s(record, hold_of(record).window, lag_p99_s=late_s)
    return low / HOLD_S, high / HOLD_S


def growing(at_s: int) -> float:
    return 0.05 + 0.4 * at_s  # an overloaded platform: each second waits longer than the one before


def shrinking(at_s: int) -> float:
    return max(8.0 - 0.5 * at_s, 0.05)  # one that is coming back


@pytest.mark.parametrize("latency_s", [lambda _at_s: 0.02, growing, shrinking], ids=["steady", "growing", "shrinking"])
def test_what_lies_in_the_hold_is_what_samples_see_in_it(tmp_path: Path, latency_s: Latency) -> None:
    low, high = under_way(tmp_path, latency_s)
    assert low == pytest.approx(high, rel=0.001)
    assert low == pytest.approx(in_flight(latency_s), rel=0.01)


def test_an_overloaded_platform_breaks_no_law(tmp_path: Path) -> None:
    low, high = under_way(tmp_path, growing)
    facts = measurement(mean_in_flight=in_flight(growing), under_way_s=(low * HOLD_S, high * HOLD_S))
    found = find(facts, evidence(client=client(seconds=HOLD_S)), Thresholds())
    assert FindingKind.LITTLES_LAW not in [one.kind for one in found]


def test_what_was_written_late_is_under_way_later_and_lies_between_the_bounds(tmp_path: Path) -> None:
    low, high = under_way(tmp_path, growing, late_s=2.0)
    assert low < in_flight(growing, late_s=2.0) * 1.01
    assert in_flight(growing, late_s=1.0) < high


def test_what_failed_may_have_been_under_way_and_may_not(tmp_path: Path) -> None:
    failed = {t: {"status 503": 50} for t in range(WARM_S + HOLD_S)}
    low, high = under_way(tmp_path, lambda _at_s: 0.02, failed=failed, failed_ms=1000.0)
    assert low == pytest.approx(50 * 0.02, rel=0.01)
    assert high == pytest.approx(50 * 0.02 + 50 * 1.0, rel=0.01)


def late(folder: Path, lag_s: Callable[[int], float]) -> float:
    Synthetic(warm_s=WARM_S, hold_s=HOLD_S, rps=RPS, lag_us=lambda t: round(1e6 * lag_s(t))).write(folder)
    record = read_record(folder)
    return written_after(record, hold_of(record).window)


def test_a_lag_that_stays_the_same_shifts_the_load_and_one_that_grows_lessens_it(tmp_path: Path) -> None:
    assert late(tmp_path / "steady", lambda _t: 2.0) == pytest.approx(0.0, abs=1)
    assert late(tmp_path / "growing", lambda t: 0.1 * t) == pytest.approx(2.0 * RPS, rel=0.15)
    assert late(tmp_path / "shrinking", lambda t: 2.5 - 0.1 * t) == pytest.approx(-2.0 * RPS, rel=0.15)
    assert late(tmp_path / "none", lambda _t: 0.0) == 0
