"""The run on one axis, second by second."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.results import read_record
from analysis.timeline import quantile_per_row, timeline
from slo.evidence import LatencyTable
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic

RUN = Synthetic(warm_s=5, hold_s=20, watch_s=10)


def drawn(run: Synthetic, folder: Path, watched: Watched | None = None) -> pd.DataFrame:
    run.write(folder)
    if watched:
        watched.pull(folder)
    return timeline(read_record(folder)).set_index("second", drop=False)


def test_it_goes_from_the_loads_start_to_the_watchs_end(tmp_path: Path) -> None:
    seconds = drawn(RUN, tmp_path)["second"]
    assert seconds.tolist() == list(range(T0, T0 + 35))


def test_rates_are_what_was_due_sent_and_answered(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=5, workers=2, failed={2: {"reset": 3, "check": 1}}, unsent={3: 6}, lost={1: 4})
    table = drawn(run, tmp_path)
    assert table["offered_rps"].tolist()[:6] == [100, 100, 100, 100, 100, 0]
    assert table["sent_rps"].tolist()[:6] == [100, 100, 100, 94, 50, 0]
    assert table["ok_rps"].tolist()[:6] == [100, 100, 96, 94, 50, 0]
    assert table["failed_rps"].tolist()[:6] == [0, 0, 4, 0, 0, 0]
    assert table["unsent_rps"].tolist()[:6] == [0, 0, 0, 6, 0, 0]
    assert table["failed: reset"].tolist()[:4] == [0, 0, 3, 0]
    assert table["failed: check"].tolist()[:4] == [0, 0, 1, 0]


def test_percentiles_are_those_of_each_second(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=4, mix={"all": 1.0}, latency_ms=lambda t: (10.0,) * 90 + (100.0 * (t + 1),) * 10)
    table = drawn(run, tmp_path)
    assert table["p50_ms"].tolist()[:4] == pytest.approx([10] * 4, rel=0.001)
    assert table["p95_ms"].tolist()[:4] == pytest.approx([100, 200, 300, 400], rel=0.001)
    assert math.isnan(table["p95_ms"].iloc[-1])
    assert table["lag_p99_ms"].iloc[0] == pytest.approx(0.12, rel=0.001)


def test_fast_failures_do_not_help_a_percentile_and_slow_ones_count(tmp_path: Path) -> None:
    fast = Synthetic(warm_s=0, hold_s=3, failed={1: {"status 503": 60}}, failed_ms=0.5, latency_ms=lambda _t: (40.0,))
    slow = Synthetic(warm_s=0, hold_s=3, failed={1: {"timeout wait": 9}}, failed_ms=10_000.0)
    assert drawn(fast, tmp_path / "a")["p50_ms"].iloc[1] == pytest.approx(40, rel=0.001)
    assert drawn(slow, tmp_path / "b")["p95_ms"].iloc[1] == pytest.approx(10_000, rel=0.001)


def test_a_second_without_an_answer_shows_the_timeout_and_not_how_fast_it_was_refused(tmp_path: Path) -> None:
    everything = {t: {"refused": 80} for t in range(3)}
    mix = {"availability": 1.0}
    refused = Synthetic(warm_s=0, hold_s=3, rps=80, mix=mix, failed=everything, failed_ms=0.2)
    silent = Synthetic(warm_s=0, hold_s=3, rps=80, mix=mix, failed=everything, failed_ms=10_000.0)
    assert math.isnan(drawn(refused, tmp_path / "a")["p95_ms"].iloc[1])
    assert drawn(silent, tmp_path / "b")["p95_ms"].iloc[1] == pytest.approx(10_000, rel=0.001)


def test_replicas_backlog_and_alerts_share_the_axis(tmp_path: Path) -> None:
    watched = Watched(run=RUN, firing={"HighLatency": (7, 12), "Backlog": (10, 14)})
    table = drawn(RUN, tmp_path, watched)
    assert table.loc[T0 + 12, "replicas desired: core"] == 12
    assert table.loc[T0 + 12, "replicas ready: core"] == 8
    assert table.loc[T0 + 12, "backlog: bookings"] == 40
    firing = {t: table.loc[T0 + t, "alerts"] for t in (6, 8, 11, 13, 15)}
    assert firing == {6: "", 8: "HighLatency", 11: "Backlog,HighLatency", 13: "Backlog", 15: ""}


def test_without_evidence_there_are_no_such_columns(tmp_path: Path) -> None:
    table = drawn(RUN, tmp_path)
    assert not [name for name in table.columns if name.startswith(("replicas", "backlog"))]
    assert set(table["alerts"]) == {""}


def test_a_killed_run_is_drawn_to_where_it_got(tmp_path: Path) -> None:
    table = drawn(Synthetic(killed=True, stopped_at_s=12), tmp_path)
    assert table["second"].tolist() == list(range(T0, T0 + 12))


def test_a_run_without_a_load_has_no_rows(tmp_path: Path) -> None:
    folder = Synthetic(killed=True, stopped_at_s=0).write(tmp_path)
    (folder / "events.jsonl").write_text("")
    assert timeline(read_record(folder)).empty


def test_it_can_be_kept_as_parquet(tmp_path: Path) -> None:
    table = drawn(RUN, tmp_path, Watched(run=RUN))
    table.to_parquet(tmp_path / "timeline.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "timeline.parquet"), table)


@given(st.lists(st.lists(st.integers(1, 40), max_size=30), min_size=1, max_size=5), st.floats(0.01, 1.0))
def test_a_rows_quantile_is_that_of_its_sorted_values(rows: list[list[int]], ratio: float) -> None:
    counts = np.array([[row.count(value) for value in range(1, 41)] for row in rows])
    found = quantile_per_row(LatencyTable(values_us=np.arange(1, 41), counts=counts), ratio)
    for row, quantile in zip(rows, found.tolist(), strict=True):
        if row:
            assert quantile == sorted(row)[max(1, math.ceil(ratio * len(row))) - 1]
        else:
            assert math.isnan(quantile)
