"""The rounds: everyone's turn, and a row for whatever becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench_peers import rounds
from tests.bench_peers.cells import Cell, cells
from tests.bench_peers.golive_run import NAME, TEMPLATED
from tests.bench_peers.installing import Installed
from tests.bench_peers.load import ToolFailed
from tests.bench_peers.rounds import Bench, Row
from tests.bench_peers.tools.h2load import H2LOAD
from tests.bench_peers.tools.oha import OHA, OHA_CORRECTED
from tests.bench_peers.tools.wrk import WRK

HERE = Installed(program="x", version="1", environment={})
RAN = {"achieved_rps": 1.0, "cpu_us_per_request": 1.0, "failed": 0, "lag_p99_ms": 0.5}


class ScriptedBench(Bench):
    """Runs nothing: wrk crashes, the others are well."""

    def _figures(self, name: str, asked: Cell, folder: Path) -> Row:
        del folder
        if name == "wrk":
            raise ToolFailed("wrk ended with -11: no word")
        return {**RAN, "achieved_rps": min(asked.offered_rps or 1, 60_000)}


@pytest.fixture(autouse=True)
def no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def silent(_program: Path) -> Iterator[Any]:
        yield SimpleNamespace(seen={"late_us": {"p99": 50}})

    monkeypatch.setattr(rounds, "an_idle_timer", silent)


def a_bench(golive: str | None = None, **refused: str) -> ScriptedBench:
    peers = {tool.name: (tool, HERE) for tool in (WRK, H2LOAD, OHA, OHA_CORRECTED)}
    return ScriptedBench(
        server_program=Path("x"), peers=peers, refused=refused, golive_version=golive, seconds=1, say=lambda _: None
    )


def ran(bench: Bench, mode: str) -> list[tuple[int, str]]:
    return [(row["round"], row["tool"]) for row in bench.rows if row["mode"] == mode]


def test_tools_take_turns_and_begin_with_another_each_round() -> None:
    bench = a_bench()
    bench.run(cells(("stall",)), 2)
    assert ran(bench, "stall") == [
        (1, "h2load"), (1, "oha"), (1, "oha --latency-correction"), (1, "wrk"),
        (2, "oha"), (2, "oha --latency-correction"), (2, "wrk"), (2, "h2load"),
    ]  # fmt: skip


def test_who_cannot_pace_is_not_asked_to_and_who_only_paces_not_to_go_flat_out() -> None:
    bench = a_bench()
    bench.run(cells(("closed", "paced"), (2_000,)), 1)
    assert {tool for _, tool in ran(bench, "paced")} == {"oha", "oha --latency-correction"}
    assert {tool for _, tool in ran(bench, "closed")} == {"wrk", "h2load", "oha"}


def test_only_who_speaks_http2_is_asked_for_it() -> None:
    bench = a_bench(golive="1")
    bench.run(cells(("http2",)), 1)
    assert {tool for _, tool in ran(bench, "http2")} == {NAME, "h2load", "oha"}


def test_a_crash_is_a_row() -> None:
    bench = a_bench()
    bench.run(cells(("closed",)), 1)
    assert [row["problem"] for row in bench.rows if row["tool"] == "wrk"] == ["wrk ended with -11: no word"]


def test_a_peer_that_cannot_be_installed_is_a_row() -> None:
    bench = a_bench(k6="`go install` failed: no network")
    bench.run(cells(("closed",)), 1)
    assert bench.rows[0]["tool"] == "k6"
    assert bench.rows[0]["problem"] == "`go install` failed: no network"


def test_golive_goes_flat_out_as_it_is_and_with_templates_and_paces_as_it_is() -> None:
    bench = a_bench(golive="1")
    bench.run(cells(("closed", "paced"), (2_000,)), 1)
    ours = {(row["mode"], row["tool"], row["offered_rps"]) for row in bench.rows if row["tool"].startswith("golive")}
    assert ours == {("closed", NAME, None), ("closed", TEMPLATED, None), ("paced", NAME, 2_000)}
