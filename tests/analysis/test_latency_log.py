"""The latency log: exact tables of any tags over any seconds, and damage named line by line."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import latency_log
from analysis.histograms import HistogramUnreadable
from analysis.latency_log import LatencyLog, merged, read_latency_log, slots_together
from slo.evidence import LatencyTable
from tests.analysis.records import T0, encoded

MOMENTS = st.tuples(st.sampled_from(["a", "b", "a!failed"]), st.integers(0, 200), st.integers(1, 1500))


def line(second: int, times_us: tuple[tuple[int, int], ...] = ((5, 1),), tag: str = "a") -> str:
    return f"Tag={tag},{T0 + second}.000,1.000,0.000,{encoded(times_us)}\n"


def log_of(folder: Path, text: str) -> tuple[LatencyLog, tuple[str, ...]]:
    path = folder / "load.hlog"
    path.write_text(text)
    return read_latency_log(path)


def counted(table: LatencyTable) -> dict[tuple[int, int], int]:
    """(row, value) → count."""
    return {
        (row, int(value_us)): int(count)
        for row, counts in enumerate(table.counts)
        for value_us, count in zip(table.values_us, counts, strict=True)
        if count
    }


# However many histograms are decoded at a time: a second's may lie in two parts.
@given(st.lists(MOMENTS, max_size=30), st.integers(0, 50), st.integers(0, 250), st.integers(1, 9))
def test_a_table_counts_every_moment_of_its_tags_and_seconds_once(
    tmp_path_factory: pytest.TempPathFactory,
    moments: list[tuple[str, int, int]],
    start: int,
    length: int,
    at_once: int,
) -> None:
    text = "".join(line(second, ((value, 1),), tag) for tag, second, value in moments)
    log, gaps = log_of(tmp_path_factory.mktemp("log"), text)
    seconds = range(T0 + start, T0 + start + length)
    with patch.object(latency_log, "HISTOGRAMS_AT_ONCE", at_once):
        spread = log.spread(["a", "b"], seconds)
        table = log.table(["a", "b"], seconds)
    expected: dict[tuple[int, int], int] = {}
    for tag, second, value in moments:
        if tag in ("a", "b") and start <= second < start + length:
            expected[second - start, value] = expected.get((second - start, value), 0) + 1
    assert (counted(table), gaps) == (expected, ())
    assert table.counts.shape == (length, len(table.values_us))
    for together in (spread, log.spread(["a", "b"], seconds)):  # decoded for itself, and out of the table's sheet
        assert (together.values_us.tolist(), together.counts.shape[0]) == (table.values_us.tolist(), 1)
        assert together.counts[0].tolist() == table.counts.sum(axis=0).tolist()


def test_lines_of_one_second_add_up_whatever_their_order(tmp_path: Path) -> None:
    log, _ = log_of(tmp_path, line(3, ((9, 2),)) + line(1) + line(3, ((9, 5),)))
    assert counted(log.table(["a"], range(T0, T0 + 5))) == {(1, 5): 1, (3, 9): 7}


def test_a_tag_nobody_used_has_an_empty_table_of_the_right_length(tmp_path: Path) -> None:
    log, _ = log_of(tmp_path, line(0))
    assert log.table(["other"], range(T0, T0 + 4)).counts.shape == (4, 0)
    assert log.table(["a"], range(0)).total == 0


def test_comments_and_column_names_are_not_histograms(tmp_path: Path) -> None:
    log, gaps = log_of(tmp_path, f'#[a comment]\n"StartTimestamp","Interval_Length"\n\n{line(0)}')
    assert (log.tags, gaps) == (("a",), ())


def test_a_tag_may_hold_commas(tmp_path: Path) -> None:
    log, _ = log_of(tmp_path, line(0, tag="search, by date"))
    assert log.total(["search, by date"]) == 1


def test_a_torn_last_line_is_named_and_the_rest_stands(tmp_path: Path) -> None:
    log, gaps = log_of(tmp_path, line(0) + line(1)[:-20])
    assert log.total(["a"]) == 1
    assert gaps == ("load.hlog: the last line is torn and was left out",)


def test_damaged_lines_are_named_by_number_and_the_rest_stands(tmp_path: Path) -> None:
    damaged = line(1).replace("HISTF", "HISSF")
    log, gaps = log_of(tmp_path, line(0) + damaged + "garbage\n" + "Tag=a,soon,1.0,0.0,HISTFAAA\n" + line(2))
    assert log.total(["a"]) == 2
    assert [gap.split(":")[1].strip() for gap in gaps] == [f"line {n} cannot be read" for n in (2, 3, 4)]


def test_a_name_that_is_no_utf8_moves_nothing_after_it(tmp_path: Path) -> None:
    path = tmp_path / "load.hlog"
    path.write_bytes(line(0, tag="caf\xe9").encode("latin-1") + line(1, ((9, 3),)).encode())
    log, gaps = read_latency_log(path)
    assert (log.total(["a"]), log.total(["caf\ufffd"]), gaps) == (3, 1, ())


def test_what_stands_before_the_start_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "load.hlog"
    path.write_text(line(0) + line(1, ((9, 3),)))
    log, _ = read_latency_log(path, start=len(line(0)))
    assert counted(log.table(["a"], range(T0, T0 + 2))) == {(1, 9): 3}


def test_a_log_that_was_changed_after_it_was_read_is_not_read_as_something_else(tmp_path: Path) -> None:
    log, _ = log_of(tmp_path, line(0))
    (tmp_path / "load.hlog").write_text(line(0).replace("HISTF", "HISSF"))
    with pytest.raises(HistogramUnreadable):
        log.total(["a"])


def test_impossible_counts_lose_their_line_only(tmp_path: Path) -> None:
    log, gaps = log_of(tmp_path, line(0) + line(1, ((5, 2**30),)) + line(2))
    assert (log.total(["a"]), gaps) == (2, ("load.hlog: line 2 cannot be read: impossible counts",))


def test_a_missing_log_is_a_gap(tmp_path: Path) -> None:
    log, gaps = read_latency_log(tmp_path / "load.hlog")
    assert (log.tags, gaps) == ((), ("load.hlog is missing",))


def test_a_nights_log_takes_neighbouring_slots_together_and_understates_nothing(tmp_path: Path) -> None:
    times_us = (5, 6, 7, 2500, 900_000)
    text = line(0, tuple((time_us, 2) for time_us in times_us)) + line(8 * 3600, ((5, 1),))
    log, gaps = log_of(tmp_path, text)
    table = log.table(["a"], range(T0, T0 + 1))
    assert (table.total, gaps) == (10, ())
    assert table.values_us.tolist()[:2] == [7, 2503]  # 4, 5, 6 and 7 stand at 7
    assert 900_000 <= table.values_us[-1] <= 900_000 * 1.004


@pytest.mark.parametrize(("hours", "together"), [(1, 1), (2, 1), (4, 2), (8, 4), (24, 16)])
def test_the_longer_the_log_the_more_slots_are_taken_together(hours: int, together: int) -> None:
    assert slots_together(hours * 3600) == together


def test_merged_tables_hold_both(tmp_path: Path) -> None:
    log, _ = log_of(tmp_path, line(0, ((5, 1), (7, 2))) + line(0, ((7, 3), (9, 4)), "b"))
    both = merged(*(log.table([tag], range(T0, T0 + 2)) for tag in ("a", "b")))
    assert counted(both) == counted(log.table(["a", "b"], range(T0, T0 + 2))) == {(0, 5): 1, (0, 7): 5, (0, 9): 4}
