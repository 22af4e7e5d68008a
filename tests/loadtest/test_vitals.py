"""A worker's own figures, as the kernel tells them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from loadtest.vitals import Vitals


def test_the_process_figures_grow_with_work() -> None:
    vitals = Vitals.of_this_process()
    before = vitals.read()
    sum(range(3_000_000))
    after = vitals.read()
    assert after["cpu_s"] > before["cpu_s"]
    assert after["rss_bytes"] > 1_000_000


def test_open_file_handles_are_counted() -> None:
    vitals = Vitals.of_this_process()
    before = vitals.read()["open_fds"]
    with ExitStack() as files:
        for _ in range(7):
            files.enter_context(Path("/dev/null").open())
        assert vitals.read()["open_fds"] == before + 7
    assert vitals.read()["open_fds"] == before


def test_throttling_is_read_from_the_control_group(tmp_path: Path) -> None:
    cpu_stat = tmp_path / "cpu.stat"
    cpu_stat.write_text("usage_usec 5\nnr_periods 40\nnr_throttled 7\nthrottled_usec 900\n")
    read = Vitals(cpu_stat).read()
    assert (read["periods"], read["throttled_periods"]) == (40, 7)


def test_a_group_without_a_quota_has_no_periods(tmp_path: Path) -> None:
    assert Vitals(tmp_path / "gone").read()["periods"] == 0
