"""The tables tell everything: what ran, what did not, and how quiet it was."""

from __future__ import annotations

from typing import Any

from tests.bench_peers.tables import tables

ABOUT = {
    "machine": {"date": "2026-01-02 03:04 UTC", "cores": 2, "cpu": "a CPU", "kernel": "6.1", "niceness": 0},
    "command": "python -m tests.bench_peers",
    "rounds": 1,
    "seconds": 5,
}


def a_row(tool: str, **changes: Any) -> dict[str, Any]:
    return {
        "tool": tool, "version": "1", "mode": "closed", "server": "fast", "round": 1, "offered_rps": None,
        "connections": 64, "streams": 0,
        "problem": "", "note": "", "load_average": 1.0, "achieved_rps": 100_000.0, "cpu_us_per_request": 8.0,
        "cpu_us_per_request_whole": 8.1, "cpu_ratio_while_loading": 0.8, "target_cpu_ratio": 0.7,
        "p50_ms": 0.5, "p99_ms": 1.0, "p999_ms": None, "lag_seen_us": {"p50": 100, "p99": 900},
        "lag_p50_ms": None, "lag_p99_ms": None, "control_timer_us": {"p99": 120},
        "truth": {"p50_ms": 5.0, "p99_ms": 200.0, "p999_ms": 200.0, "from": "the server's configuration"}, **changes,
    }  # fmt: skip


def test_a_ratio_stands_beside_the_absolute() -> None:
    told = tables(ABOUT, [a_row("golive", cpu_us_per_request=6.0), a_row("wrk")])
    assert "| wrk 1 | 8.00 | 0.75 | 8.10 | 100,000 |" in told


def test_http2_has_a_table_of_its_own() -> None:
    told = tables(ABOUT, [a_row("wrk"), a_row("h2load", mode="http2", connections=4, streams=16)])
    assert "| flat out, 64 connections |" in told
    assert "| flat out, HTTP/2, 4 connections of 16 streams |" in told


def test_a_peer_that_did_not_run_says_so() -> None:
    broken = {"tool": "k6", "version": "", "mode": "none", "problem": "`go install` failed: no network"}
    assert "- k6, none: `go install` failed: no network" in tables(ABOUT, [a_row("wrk"), broken])


def test_what_was_dropped_is_told() -> None:
    assert "- k6, paced 2,000/s: 999 dropped" in tables(
        ABOUT, [a_row("k6", mode="paced", offered_rps=2000, note="999 dropped")]
    )


def test_lag_is_the_targets_sight_for_all_and_golives_word_for_itself() -> None:
    own = a_row("golive", mode="paced", offered_rps=2000, lag_p50_ms=0.3, lag_p99_ms=0.5)
    told = tables(ABOUT, [own, a_row("oha", mode="paced", offered_rps=2000)])
    assert "| oha | 0.10 / 0.90 |" in told
    assert "| golive | 0.30 / 0.50 |" in told


def test_truth_stands_below_what_is_reported() -> None:
    told = tables(ABOUT, [a_row("wrk", mode="bimodal", server="bimodal", p99_ms=20.0)])
    assert "| wrk | closed loop | 100,000 | 0.5 | 20.0 | – | 0.10 |" in told
    assert "| **truth** (the server's configuration) |  |  | 5.0 | 200.0 | 200.0 |  |" in told


def test_quietness_comes_first() -> None:
    assert "Idle timer P99 0.12 ms" in tables(ABOUT, [a_row("wrk")]).splitlines()[0]
