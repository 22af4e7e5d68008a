"""Our decoding and the reference library's, held against each other."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from analysis.histograms import (
    HistogramUnreadable,
    Slots,
    decode_counts,
    has_larger_counts,
    highest_values,
    plain_counts,
)

RECORDED = st.dictionaries(st.integers(1, 60_000_000), st.integers(1, 5_000_000), max_size=40)


def histogram_of(recorded: dict[int, int], digits: int = 3) -> HdrHistogram:
    histogram = HdrHistogram(1, 60_000_000, digits)
    for value, count in recorded.items():
        histogram.record_value(value, count)
    return histogram


def plain(recorded: dict[int, int]) -> bytes:
    return plain_counts(histogram_of(recorded).encode(), digits=3)


def counts_by_value(slots: Slots, row: int, digits: int = 3) -> dict[int, int]:
    mine = slots.row == row
    values = highest_values(slots.slot[mine], digits=digits).tolist()
    return dict(zip(values, slots.count[mine].tolist(), strict=True))


def by_the_library(recorded: dict[int, int]) -> dict[int, int]:
    histogram = HdrHistogram.decode(histogram_of(recorded).encode())
    found: dict[int, int] = {}
    for value in recorded:
        found[histogram.get_highest_equivalent_value(value)] = histogram.get_count_at_value(value)
    return found


@given(st.lists(RECORDED, max_size=6))
def test_many_histograms_decoded_together_are_what_the_library_says_of_each(recorded: list[dict[int, int]]) -> None:
    slots = decode_counts([plain(one) for one in recorded])
    for row, one in enumerate(recorded):
        assert counts_by_value(slots, row) == by_the_library(one)


@given(st.integers(1, 60_000_000), st.integers(1, 4))
def test_a_slots_value_is_the_highest_that_the_library_puts_in_it(value: int, digits: int) -> None:
    histogram = histogram_of({value: 1}, digits)
    (slot,) = np.flatnonzero(np.frombuffer(histogram.counts, dtype=np.int64))
    (highest,) = highest_values(np.array([slot]), digits=digits).tolist()
    assert highest == histogram.get_highest_equivalent_value(value)
    assert value <= highest <= value * (1 + 10.0**-digits)


def test_no_histograms_have_no_slots() -> None:
    assert len(decode_counts([]).slot) == 0
    assert len(decode_counts([plain({})]).slot) == 0


def test_whatever_bit_flips_in_an_encoded_histogram_is_noticed_or_changes_nothing() -> None:
    whole = histogram_of({5_000: 3, 900_000: 1}).encode()
    octets = base64.b64decode(whole)
    for place in range(len(octets)):
        flipped = octets[:place] + bytes([octets[place] ^ 0x01]) + octets[place + 1 :]
        try:
            assert plain_counts(base64.b64encode(flipped), digits=3) == plain_counts(whole, digits=3)
        except HistogramUnreadable:
            continue


@pytest.mark.parametrize("text", ["", "no base64!", "AAAA", "SElTVEZBQUE="])
def test_what_is_no_histogram_is_refused(text: str) -> None:
    with pytest.raises(HistogramUnreadable):
        plain_counts(text, digits=3)


def test_a_histogram_of_another_resolution_is_refused_by_name() -> None:
    with pytest.raises(HistogramUnreadable, match="in 2 digits; golive's count from 1 in 3"):
        plain_counts(histogram_of({5: 1}, digits=2).encode(), digits=3)


def test_a_torn_histogram_is_refused() -> None:
    whole = histogram_of({value: 1 for value in range(1, 4000, 7)}).encode()
    with pytest.raises(HistogramUnreadable):
        plain_counts(whole[: len(whole) // 8 * 4], digits=3)


@given(st.integers(1, 2**40))
def test_counts_too_large_to_be_requests_are_told_apart(count: int) -> None:
    assert has_larger_counts([plain({7: 1}), plain({9: count})]) == (count >= 2**27)


@given(st.lists(st.integers(0, 127), min_size=1, max_size=8))
def test_two_neighbours_never_look_like_one_large_count(ends: list[int]) -> None:
    assert not has_larger_counts([bytes([0x80, 0x80, 0x80, end]) for end in ends])
