"""Medians and intervals of a few rounds."""

from __future__ import annotations

from tests.bench_peers.spread import outermost_to_skip, spread_of


def test_five_rounds_need_their_whole_range() -> None:
    spread = spread_of([3.0, 1.0, 2.0, 5.0, 4.0])
    assert spread
    assert (spread.median, spread.low, spread.high) == (3.0, 1.0, 5.0)
    assert spread.told(1) == "3.0 (1.0–5.0)"


def test_more_rounds_may_leave_the_outermost_out() -> None:
    assert [outermost_to_skip(count) for count in (1, 5, 7, 8, 11, 20)] == [0, 0, 0, 1, 2, 5]


def test_one_value_has_no_interval_and_none_no_median() -> None:
    one = spread_of([2.0, None])
    assert one
    assert one.told(0) == "2"
    assert spread_of([None]) is None
