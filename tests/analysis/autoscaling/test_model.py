"""The HPA algorithm as Kubernetes documents it: examples by hand, and what must always hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.autoscaling.behaviour import Behaviour, Policy, Rules, Select
from analysis.autoscaling.model import Autoscaler, Decision, Reading, State, recommend, step

HPA = Autoscaler(min_replicas=2, max_replicas=100, target=0.5)
AT_ONCE = Rules(stabilization_s=0.0, policies=(Policy(kind="Percent", value=10_000, period_s=1.0),))
FREE = replace(HPA, behaviour=Behaviour(up=AT_ONCE, down=AT_ONCE))


def seen(metric: float | None, ready: int, unready: int = 0) -> Reading:
    return Reading(metric=metric, ready=ready, unready=unready)


def reason(decision: Decision, kind: str) -> str:
    return next(condition.reason for condition in decision.conditions if condition.kind == kind)


@pytest.mark.parametrize(
    ("metric", "ready", "wanted"),
    [
        (1.0, 10, 20),  # twice the target: twice the pods
        (0.25, 10, 5),  # half the target: half the pods
        (0.54, 10, 10),  # within the tolerance of 10 %
        (0.56, 10, 12),  # 11.2, rounded up
        (0.3, 10, 6),
        (0.45, 10, 10),
    ],
)
def test_replicas_follow_the_ratio_of_metric_and_target(metric: float, ready: int, wanted: int) -> None:
    assert recommend(HPA, ready, seen(metric, ready)) == wanted


def test_pods_on_their_way_are_not_ordered_twice() -> None:
    assert recommend(HPA, 20, seen(1.0, ready=10, unready=10)) == 20
    assert recommend(HPA, 12, seen(1.0, ready=10, unready=2)) == 20


def test_by_default_replicas_at_most_double_or_grow_by_four_in_15_s() -> None:
    few, _ = step(HPA, State(desired=2), seen(5.0, 2), now_s=0)
    many, _ = step(HPA, State(desired=20), seen(5.0, 20), now_s=0)
    assert (few.desired, many.desired) == (6, 40)
    assert reason(many, "ScalingLimited") == "ScaleUpLimit"


def test_a_limit_looks_back_over_its_period() -> None:
    _, grown = step(HPA, State(desired=10), seen(5.0, 10), now_s=0)
    soon, _ = step(HPA, grown, seen(5.0, 20), now_s=10)
    later, _ = step(HPA, grown, seen(5.0, 20), now_s=15)
    assert (soon.desired, later.desired) == (20, 40)


def test_at_the_maximum_it_says_too_many_and_at_the_minimum_too_few() -> None:
    high, _ = step(FREE, State(desired=90), seen(5.0, 90), now_s=0)
    low, _ = step(FREE, State(desired=3), seen(0.0, 3), now_s=0)
    assert (high.desired, reason(high, "ScalingLimited")) == (100, "TooManyReplicas")
    assert (low.desired, reason(low, "ScalingLimited")) == (2, "TooFewReplicas")


def test_scaling_down_waits_for_the_highest_recommendation_of_five_minutes() -> None:
    state = State(desired=10)
    decision, state = step(HPA, state, seen(0.5, 10), now_s=0)
    decision, state = step(HPA, state, seen(0.1, 10), now_s=15)
    assert (decision.desired, reason(decision, "AbleToScale")) == (10, "ScaleDownStabilized")
    decision, state = step(HPA, state, seen(0.1, 10), now_s=299)
    assert decision.desired == 10
    decision, state = step(HPA, state, seen(0.1, 10), now_s=300)
    assert decision.desired == 2


def test_without_a_metric_nothing_changes_and_the_condition_says_so() -> None:
    decision, state = step(HPA, State(desired=7), seen(None, 7), now_s=0)
    assert decision.desired == state.desired == 7
    assert reason(decision, "ScalingActive") == "FailedGetResourceMetric"


def test_a_disabled_direction_does_not_scale() -> None:
    held = replace(HPA, behaviour=Behaviour(up=replace(AT_ONCE, select=Select.DISABLED)))
    decision, _ = step(held, State(desired=5), seen(5.0, 5), now_s=0)
    assert decision.desired == 5


def test_min_selects_the_more_careful_policy() -> None:
    both = (Policy(kind="Percent", value=100, period_s=15), Policy(kind="Pods", value=1, period_s=15))
    careful = replace(HPA, behaviour=Behaviour(up=Rules(stabilization_s=0, policies=both, select=Select.MIN)))
    decision, _ = step(careful, State(desired=10), seen(5.0, 10), now_s=0)
    assert decision.desired == 11


metrics = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 30)), min_size=1, max_size=40)


@given(metrics)
def test_desired_never_leaves_its_bounds_nor_its_policies(looks: list[tuple[float, int]]) -> None:
    state = State(desired=2)
    for index, (metric, missing) in enumerate(looks):
        before = state.desired
        ready = max(before - missing, 0)
        decision, state = step(HPA, state, seen(metric, ready, before - ready), now_s=index * 15.0)
        assert 2 <= decision.desired <= 100
        assert decision.desired <= max(before * 2, before + 4)


@given(st.integers(2, 100), st.floats(0.46, 0.54))
def test_within_the_tolerance_nothing_moves(replicas: int, metric: float) -> None:
    decision, _ = step(FREE, State(desired=replicas), seen(metric, replicas), now_s=0)
    assert decision.desired == replicas
