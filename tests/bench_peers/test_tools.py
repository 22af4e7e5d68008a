"""Every peer's own words, as they were captured, are read as what they say."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed
from tests.bench_peers.roster import PEERS
from tests.bench_peers.tools import vegeta
from tests.bench_peers.tools.fortio import FORTIO
from tests.bench_peers.tools.h2load import H2LOAD
from tests.bench_peers.tools.hey import HEY
from tests.bench_peers.tools.k6 import K6
from tests.bench_peers.tools.locust_users import FAST_HTTP_USER, HTTP_USER, percentile_of
from tests.bench_peers.tools.oha import OHA, OHA_CORRECTED
from tests.bench_peers.tools.wrk import WRK

CAPTURED = Path(__file__).with_name("captured")


def a_load(folder: Path, offered_rps: int | None = None) -> Load:
    return Load(url="http://127.0.0.1:1/", connections=16, seconds=2, folder=folder, offered_rps=offered_rps)


def said_by(tool: Tool, name: str, folder: Path) -> Reported:
    """What the tool reports when it said what was captured, on standard output or in its file."""
    shutil.copy(CAPTURED / name, folder)
    return tool.read(a_load(folder), (CAPTURED / name).read_text())


def test_wrk_says_more_through_its_script(tmp_path: Path) -> None:
    expected = Reported(ok=111409, p50_ms=0.093, p99_ms=8.584, p999_ms=25.745)
    assert said_by(WRK, "wrk.txt", tmp_path) == expected


def test_h2load_reports_no_percentile(tmp_path: Path) -> None:
    assert said_by(H2LOAD, "h2load.txt", tmp_path) == Reported(ok=94621)


def test_hey_reports_no_p999(tmp_path: Path) -> None:
    assert said_by(HEY, "hey.txt", tmp_path) == Reported(ok=1648, p50_ms=0.8, p99_ms=0.2264 * 1e3)


def test_heys_errors_are_failures(tmp_path: Path) -> None:
    said = (CAPTURED / "hey.txt").read_text() + "Error distribution:\n  [7]\tGet http://x: connection refused\n"
    assert HEY.read(a_load(tmp_path), said).failed == 7


def test_oha_reports_seconds(tmp_path: Path) -> None:
    reported = said_by(OHA, "oha.json", tmp_path)
    assert (reported.ok, reported.failed) == (4001, 0)
    assert (reported.p50_ms, reported.p999_ms) == (0.158408, 11.758166000000001)


def test_fortio_reports_what_was_asked(tmp_path: Path) -> None:
    reported = said_by(FORTIO, "fortio.json", tmp_path)
    assert (reported.ok, reported.failed) == (2000, 0)
    assert reported.p50_ms == pytest.approx(0.1795, rel=1e-3)
    assert reported.p99_ms == pytest.approx(5.775)


def test_vegeta_reports_nanoseconds() -> None:
    reported = vegeta.of_report((CAPTURED / "vegeta.json").read_text())
    assert reported == Reported(ok=2000, p50_ms=0.327548, p99_ms=146.941819)


def test_k6_names_what_it_dropped(tmp_path: Path) -> None:
    reported = said_by(K6, "k6.json", tmp_path)
    assert (reported.ok, reported.failed, reported.note) == (1003, 0, "999 dropped")
    assert reported.p999_ms == pytest.approx(611.73, rel=1e-4)


def test_locust_counts_by_rounded_milliseconds(tmp_path: Path) -> None:
    reported = said_by(HTTP_USER, "locust.json", tmp_path)
    assert (reported.ok, reported.p50_ms, reported.p99_ms) == (1301, 18, 170)


def test_a_percentile_is_the_least_time_that_so_many_do_not_exceed() -> None:
    assert percentile_of({1.0: 98, 5.0: 1, 9.0: 1}, 0.99) == 5.0
    assert percentile_of({}, 0.5) is None


@pytest.mark.parametrize("tool", PEERS, ids=lambda tool: tool.name)
def test_what_cannot_be_read_is_said(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("/bin/true")  # vegeta reports in a second step
    with pytest.raises(ToolFailed):
        tool.read(a_load(tmp_path), "nonsense")


@pytest.mark.parametrize("tool", [tool for tool in PEERS if tool.paces], ids=lambda tool: tool.name)
def test_the_rate_reaches_every_tool_that_paces(tool: Tool, tmp_path: Path) -> None:
    load = a_load(tmp_path, 1600)
    told = " ".join([*tool.command("program", load), *tool.environment(load).values()])
    told += "".join(path.read_text() for path in tmp_path.iterdir())
    assert "1600" in told or "100.0" in told  # in all, or of each connection


@pytest.mark.parametrize("tool", [tool for tool in PEERS if tool.http2], ids=lambda tool: tool.name)
def test_streams_reach_every_tool_that_multiplexes(tool: Tool, tmp_path: Path) -> None:
    plain, multiplexed = a_load(tmp_path), replace(a_load(tmp_path), streams=31)
    assert "31" not in " ".join(tool.command("program", plain))
    assert "31" in " ".join(tool.command("program", multiplexed))


def test_only_the_corrected_oha_corrects(tmp_path: Path) -> None:
    asked = [tool.command("oha", a_load(tmp_path, 10)) for tool in (OHA, OHA_CORRECTED)]
    assert ["--latency-correction" in command for command in asked] == [False, True]


def test_locusts_users_are_told_apart(tmp_path: Path) -> None:
    users = [tool.environment(a_load(tmp_path))["BENCH_PEERS_USER"] for tool in (HTTP_USER, FAST_HTTP_USER)]
    assert users == ["HttpUser", "FastHttpUser"]
