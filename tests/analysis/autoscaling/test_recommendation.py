"""What the metrics alone ask for: Kubernetes' documented examples by hand, and what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.autoscaling.recommendation import Metric, Reading, Tolerance, recommend, recommend_by_all

CPU = Metric(name="cpu", target=0.5, is_utilisation=True)
RATE = Metric(name="rate", target=100.0)
USUAL = Tolerance()


def seen(mean: float | None, ready: int, *, unready: int = 0, missing: int = 0) -> Reading:
    replicas = ready + unready + missing
    return Reading(replicas=replicas, ready=ready, unready=unready, missing=missing, means={"cpu": mean})


@pytest.mark.parametrize(
    ("mean", "ready", "wanted"),
    [
        (1.0, 10, 20),  # twice the target: twice the pods
        (0.25, 10, 5),  # half the target: half the pods
        (0.54, 10, 10),  # within the tolerance of 10 %
        (0.55, 10, 10),  # exactly at it
        (0.56, 10, 12),  # 11.2, rounded up
        (0.3, 10, 6),
        (0.45, 10, 10),
        (0.0, 10, 0),
    ],
)
def test_replicas_follow_the_ratio_of_mean_and_target(mean: float, ready: int, wanted: int) -> None:
    assert recommend(CPU, seen(mean, ready), USUAL) == wanted


def test_a_rounding_error_does_not_order_a_pod() -> None:
    fifth = Metric(name="cpu", target=0.2)
    assert recommend(fifth, seen(1.12, 5), USUAL) == 28  # 1.12 / 0.2 × 5 is 28.000000000000004 in floats


def test_pods_on_their_way_are_not_ordered_twice() -> None:
    assert recommend(CPU, seen(1.0, ready=10, unready=10), USUAL) == 20  # 10 pods' work for 20: at the target
    assert recommend(CPU, seen(1.0, ready=10, unready=2), USUAL) == 20  # 10/12 of twice the target, of 12 pods


def test_pods_on_their_way_count_for_nothing_when_scaling_down() -> None:
    assert recommend(CPU, seen(0.25, ready=10, unready=2), USUAL) == 5
    assert recommend(CPU, seen(0.475, ready=10, unready=2), USUAL) == 12  # within the tolerance: as it is


def test_exactly_at_the_target_nothing_moves_whatever_is_not_measured() -> None:
    assert recommend(CPU, seen(0.5, ready=5, missing=5), USUAL) == 10


def test_pods_that_are_not_there_yet_or_still_there_do_not_reverse_the_direction() -> None:
    ordered = Reading(replicas=20, ready=8, unready=2, means={"cpu": 0.8})  # by these pods 13
    leaving = Reading(replicas=4, ready=8, missing=2, means={"cpu": 0.3})  # by these pods 9
    assert recommend(CPU, ordered, USUAL) == 20
    assert recommend(CPU, leaving, USUAL) == 4


def test_pods_that_are_not_measured_count_as_idle_when_scaling_up_and_as_busy_when_scaling_down() -> None:
    assert recommend(CPU, seen(1.0, ready=6, missing=2), USUAL) == 12  # 6 pods' use over 8: 1.5 × target, of 8
    assert recommend(CPU, seen(0.1, ready=8, missing=2), USUAL) == 6  # (0.8 + 2 × 1.0) / 10: 0.56 × target, of 10


def test_what_is_not_measured_never_reverses_the_direction() -> None:
    assert recommend(CPU, seen(0.4, ready=2, missing=2), USUAL) == 4  # as busy as can be, they would ask for more
    assert recommend(CPU, seen(0.6, ready=2, missing=2), USUAL) == 4  # idle, they would ask for fewer


def test_without_a_measurement_there_is_no_recommendation() -> None:
    assert recommend(CPU, seen(None, 10), USUAL) is None
    assert recommend(CPU, seen(0.9, ready=0, unready=3), USUAL) is None


def test_each_direction_has_its_own_tolerance() -> None:
    tolerance = Tolerance(up_ratio=0.0, down_ratio=0.5)
    assert recommend(CPU, seen(0.51, 10), tolerance) == 11
    assert recommend(CPU, seen(0.26, 10), tolerance) == 10


def both(cpu: float | None, rate: float | None) -> Reading:
    return Reading(replicas=10, ready=10, means={"cpu": cpu, "rate": rate})


@pytest.mark.parametrize(
    ("cpu", "rate", "found"),
    [
        (0.75, 200.0, (20, "ValidMetricFound")),  # the largest wins
        (0.1, 50.0, (5, "ValidMetricFound")),  # all must agree to scale down
        (None, 200.0, (20, "ValidMetricFound")),  # one alone may scale up
        (None, 100.0, (10, "ValidMetricFound")),
        (None, 50.0, (None, "FailedGetResourceMetric")),  # the silent one might have objected
        (0.1, None, (None, "FailedGetPodsMetric")),
        (None, None, (None, "FailedGetResourceMetric")),
    ],
)
def test_of_several_metrics_the_largest_recommendation_counts(
    cpu: float | None, rate: float | None, found: tuple[int | None, str]
) -> None:
    assert recommend_by_all((CPU, RATE), both(cpu, rate), USUAL) == found


pods = st.integers(0, 40)


@given(st.floats(0, 10), st.integers(1, 40), pods, pods)
def test_unready_and_unmeasured_pods_only_make_it_more_careful(mean: float, ready: int, un: int, missing: int) -> None:
    careful = recommend(CPU, seen(mean, ready, unready=un, missing=missing), USUAL)
    assert careful is not None
    everything = ready + un + missing
    if mean > CPU.target:
        assert everything <= careful <= max(everything, recommend(CPU, seen(mean, ready), USUAL) or 0)
    elif missing:
        assert careful <= everything


@given(st.integers(1, 100), st.floats(0.46, 0.54))
def test_within_the_tolerance_nothing_moves(replicas: int, mean: float) -> None:
    assert recommend(CPU, seen(mean, replicas), USUAL) == replicas
