import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.scale import linear, logarithmic

POSITIVE = st.floats(min_value=1e-3, max_value=1e9)


@given(POSITIVE)
def test_a_linear_scale_holds_its_highest_value_and_few_ticks(highest: float) -> None:
    scale = linear(highest, height_px=100)
    assert scale.highest >= highest
    assert 2 <= len(scale.ticks) <= 6


def test_zero_stands_at_the_bottom_and_the_highest_tick_at_the_top() -> None:
    scale = linear(31_500, height_px=170)
    assert scale.ticks == (0, 10_000, 20_000, 30_000, 40_000)
    assert scale.y(np.array([0.0, 40_000.0])).tolist() == [170.0, 0.0]


def test_replicas_have_no_ticks_between_whole_numbers() -> None:
    assert linear(2, height_px=46, whole=True).ticks == (0, 1, 2)


def test_nothing_to_show_still_makes_a_scale() -> None:
    assert linear(0, height_px=90).highest > 0
    assert logarithmic(np.inf, -np.inf, height_px=90).ticks


@given(POSITIVE, POSITIVE)
def test_a_logarithmic_scale_spans_both_ends_with_few_ticks(one: float, other: float) -> None:
    scale = logarithmic(min(one, other), max(one, other), height_px=100)
    assert scale.lowest <= min(one, other) * (1 + 1e-6)
    assert scale.highest >= max(one, other) * (1 - 1e-6)
    assert len(scale.ticks) <= 13


def test_equal_factors_are_equal_steps() -> None:
    scale = logarithmic(1, 100, height_px=100)
    assert scale.y(np.array([1.0, 10.0, 100.0])).tolist() == [100.0, 50.0, 0.0]


@given(POSITIVE, st.floats(min_value=0, max_value=1e12))
def test_every_value_stands_inside_the_plane(highest: float, value: float) -> None:
    for scale in (linear(highest, height_px=90), logarithmic(highest / 10, highest, height_px=90)):
        assert 0 <= float(scale.y(value)) <= 90
