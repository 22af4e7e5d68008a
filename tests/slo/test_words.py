"""Figures as people read them: no digit that means nothing, and nothing rounded to what it is not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.words import asked, duration, ms, percent, rps, seconds


@pytest.mark.parametrize(
    ("value", "text"), [(9.994, "9.99 ms"), (10, "10.0 ms"), (99.94, "99.9 ms"), (1234, "1,234 ms")]
)
def test_milliseconds_have_three_digits_that_mean_something(value: float, text: str) -> None:
    assert ms(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (99.99999, "99.99999"),
        (0.035 * 100, "3.5"),
        (0.29 * 100, "29"),
        (31500, "31,500"),
        (2.5, "2.5"),
        (0.001, "0.001"),
    ],
)
def test_what_was_asked_for_is_not_rounded(value: float, text: str) -> None:
    assert asked(value) == text


@pytest.mark.parametrize(("value", "text"), [(31_499.6, "31,500"), (99.96, "100"), (2.46, "2.46"), (0.5, "0.5")])
def test_a_low_rate_keeps_the_digits_that_decide(value: float, text: str) -> None:
    assert rps(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0, "0.00 %"), (1, "100.00 %"), (0.0269, "2.69 %"), (0.99996, "99.996 %"), (0.00001, "0.001 %")],
)
def test_a_share_is_a_percentage_of_two_digits_or_as_many_as_it_takes(ratio: float, text: str) -> None:
    assert percent(ratio) == text


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_no_share_is_rounded_to_none_or_to_all(part: int, more: int) -> None:
    assert 0 < float(percent(part / (part + more)).removesuffix(" %")) < 100


@pytest.mark.parametrize(
    ("lasts_s", "text"),
    [(0.2, "1 s"), (119.5, "120 s"), (121, "3 min"), (7199, "120 min"), (7201, "3 h"), (4e7, "11,112 h")],
)
def test_how_much_longer_is_rounded_up_to_what_can_be_planned(lasts_s: float, text: str) -> None:
    assert duration(lasts_s) == text


def test_a_time_that_nobody_knows_is_told_so() -> None:
    assert duration(math.inf) == "an unknown time"


def test_a_short_time_is_told_as_it_was() -> None:
    assert (seconds(0.44), seconds(14.4)) == ("0.4 s", "14 s")
