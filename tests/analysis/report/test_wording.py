import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.wording import (
    count,
    duration,
    figure,
    instant,
    into_run,
    listed,
    milliseconds,
    plural,
    rate,
    share,
    size,
    without_passwords,
)  # fmt: skip


def test_counts_have_thousands_separators() -> None:
    assert count(5_670_000) == "5,670,000"


def test_what_was_not_measured_is_a_dash_in_every_unit() -> None:
    assert {word(math.nan) for word in (count, figure, milliseconds, share, size)} == {"—"}


@pytest.mark.parametrize(
    ("time_ms", "words"),
    [(0.42, "0.42 ms"), (7.0, "7 ms"), (43.21, "43.2 ms"), (187.4, "187 ms"), (1985, "1,985 ms"), (10_002, "10 s")],
)
def test_latencies_are_written_in_the_digits_that_matter(time_ms: float, words: str) -> None:
    assert milliseconds(time_ms) == words


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.04, "4 %"),
        (0.00012, "0.012 %"),
        (1e-9, "under 0.001 %"),
        (1 - 1e-9, "over 99.999 %"),
        (0, "0 %"),
        (1, "100 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(ratio: float, words: str) -> None:
    assert share(ratio) == words


@given(st.floats(min_value=1e-12, max_value=1 - 1e-12))
def test_no_share_strictly_between_reads_as_none_or_all(ratio: float) -> None:
    assert share(ratio) not in ("0 %", "100 %")


@pytest.mark.parametrize(
    ("time_s", "words"), [(45, "45 s"), (0.5, "0.5 s"), (90, "1 min 30 s"), (180, "3 min"), (7500, "2 h 5 min")]
)
def test_lengths_of_time_are_words(time_s: float, words: str) -> None:
    assert duration(time_s) == words


@given(st.integers(min_value=0, max_value=10**6))
def test_a_length_of_time_never_reads_empty(time_s: int) -> None:
    assert duration(time_s)


def test_times_into_the_run_read_like_a_stopwatch() -> None:
    assert [into_run(at_s) for at_s in (0, 125, 3725, -3)] == ["0:00", "2:05", "1:02:05", "−0:03"]


def test_instants_are_utc() -> None:
    assert instant(1_790_000_000) == "2026-09-21 14:13:20 UTC"


def test_figures_never_use_powers_of_ten() -> None:
    assert [figure(value) for value in (31_500.0, 0.05, 12.34, 2.0, 0.0)] == ["31,500", "0.05", "12.3", "2", "0"]


@given(st.floats(min_value=0, max_value=1e12))
def test_a_figure_is_right_to_three_digits(value: float) -> None:
    assert float(figure(value).replace(",", "")) == pytest.approx(value, rel=0.005, abs=0.0005)


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]


def test_one_is_singular() -> None:
    assert (plural(1, "worker"), plural(2, "worker"), plural(2, "series", "series")) == (
        "1 worker", "2 workers", "2 series",
    )  # fmt: skip


def test_rates_and_sizes_carry_their_unit() -> None:
    assert (rate(31_500), size(90_000_000), size(12)) == ("31,500 requests/s", "90 MB", "12 bytes")


def test_passwords_in_addresses_are_left_out() -> None:
    assert without_passwords("up at http://me:secret@host:9090/p?a=b@c") == "up at http://host:9090/p?a=b@c"


def test_an_at_sign_elsewhere_stays() -> None:
    assert without_passwords("https://host/guests?email=a@b.test") == "https://host/guests?email=a@b.test"
