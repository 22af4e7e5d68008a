"""Which loads are made, and what is true of each server."""

from __future__ import annotations

import pytest

from tests.bench_peers.cells import MODES, PACED_CONNECTIONS, STALL_RPS, Cell, cells, truth_of

SEEN = {"answered": 100_000, "span_us": 5_000_000, "served_us": {"p50": 6, "p99": 80, "p999": 300}}


def test_every_mode_has_its_cells() -> None:
    names = [cell.name for cell in cells(MODES, (2_000, 30_000))]
    assert names == ["closed", "http2", "paced 2,000/s", "paced 30,000/s", "bimodal 5,000/s", "stall 20,000/s"]


def test_http2_has_as_many_requests_at_a_time_as_http1() -> None:
    plain, multiplexed = cells(("closed", "http2"))
    assert plain.connections == multiplexed.connections * multiplexed.streams


def test_the_stall_shows_what_few_connections_would_hide() -> None:
    assert STALL_RPS > 100 * PACED_CONNECTIONS


def test_a_stalls_truth_is_the_queue_behind_it() -> None:
    cell = Cell(mode="stall", server="stall", connections=128, offered_rps=20_000)
    truth = truth_of(cell, True, SEEN, target_cpu_s=1.0)  # 20,000/s of a capacity of 100,000/s
    assert (truth["p99_ms"], truth["p999_ms"]) == (pytest.approx(92.0), pytest.approx(99.2))
    assert truth_of(cell, False, SEEN, target_cpu_s=1.0)["p99_ms"] == 90.0


def test_the_bimodal_servers_truth_is_its_configuration() -> None:
    cell = Cell(mode="bimodal", server="bimodal", connections=128, offered_rps=5_000)
    assert truth_of(cell, True, SEEN, 1.0)["p99_ms"] == 200.0


def test_the_fast_servers_truth_is_its_own_histogram() -> None:
    cell = Cell(mode="paced", server="fast", connections=128, offered_rps=5_000)
    assert truth_of(cell, True, SEEN, 1.0)["p99_ms"] == 0.08
