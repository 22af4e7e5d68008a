import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.report.drawing import WIDTH, Thinning, area, line, steps, thinned
from analysis.report.scale import linear

SCALE = linear(10, height_px=100)
NAN = float("nan")
SERIES = st.lists(st.one_of(st.floats(min_value=0, max_value=10), st.just(NAN)), min_size=1, max_size=50)


def test_a_line_runs_through_the_middle_of_each_second() -> None:
    assert line(np.array([0.0, 10.0]), SCALE, 2) == "M250,100L750,0"


def test_an_unseen_second_breaks_the_line() -> None:
    assert line(np.array([1.0, 2.0, NAN, 3.0, 4.0]), SCALE, 5).count("M") == 2


def test_a_lonely_second_is_a_dot() -> None:
    assert line(np.array([NAN, 5.0, NAN]), SCALE, 3) == "M500,50L500,50"


def test_steps_hold_each_value_for_its_second() -> None:
    assert steps(np.array([0.0, 10.0]), SCALE, 2) == "M0,100L500,100 500,0 1000,0"


def test_an_area_is_closed_over_its_floor() -> None:
    assert area(np.array([10.0]), np.array([0.0]), SCALE, 1) == "M0,0L1000,0 1000,100 0,100Z"


def test_level_stretches_cost_two_points() -> None:
    assert line(np.full(1000, 5.0), SCALE, 1000) == "M0.5,50L999.5,50"


@given(SERIES)
def test_nothing_is_drawn_outside_the_plane(values: list[float]) -> None:
    series = np.array(values)
    points = len(series)
    drawn = line(series, SCALE, points) + steps(series, SCALE, points) + area(series, 0 * series, SCALE, points)
    pairs = [pair.split(",") for pair in drawn.replace("M", " ").replace("L", " ").replace("Z", " ").split()]
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= 100 for x, y in pairs)


@pytest.mark.parametrize(
    ("how", "expected"), [(Thinning.MEAN, [2.0, 4.0]), (Thinning.WORST, [3.0, 4.0]), (Thinning.LAST, [3.0, 4.0])]
)
def test_thinning_takes_what_it_says(how: Thinning, expected: list[float]) -> None:
    assert thinned(pd.Series([1.0, 3.0, NAN, 4.0]), 2, how).tolist() == expected


def test_thinning_to_a_second_changes_nothing() -> None:
    assert thinned(pd.Series([1, 2, 3]), 1, Thinning.MEAN).tolist() == [1.0, 2.0, 3.0]


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200), st.integers(1, 20))
def test_the_worst_second_survives_thinning(values: list[float], seconds_per_point: int) -> None:
    assert thinned(pd.Series(values), seconds_per_point, Thinning.WORST).max() == max(values)
