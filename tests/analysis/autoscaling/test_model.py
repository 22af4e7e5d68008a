"""The HPA algorithm as Kubernetes documents it: examples by hand, and what must always hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.autoscaling.behaviour import Behaviour, Policy, Rules, Select
from analysis.autoscaling.model import Autoscaler, AutoscalerState, Condition, Decision, step
from analysis.autoscaling.recommendation import Metric, Reading

CPU = Metric(name="cpu", target=0.5, is_utilisation=True)
HPA = Autoscaler(min_replicas=2, max_replicas=100, metrics=(CPU,))
AT_ONCE = Rules(stabilization_s=0.0, policies=(Policy(kind="Percent", value=10_000, period_s=1.0),))
FREE = replace(HPA, behaviour=Behaviour(up=AT_ONCE, down=AT_ONCE))
NEW = AutoscalerState()


def seen(mean: float | None, replicas: int, unready: int = 0) -> Reading:
    return Reading(replicas=replicas, ready=replicas - unready, unready=unready, means={"cpu": mean})


def looked(hpa: Autoscaler, *looks: tuple[float, float]) -> list[Decision]:
    """Looks at (instant, mean) in turn, each finding the replicas that the one before ordered; 10 at first."""
    decisions, state, replicas = [], NEW, 10
    for now_s, mean in looks:
        decision, state = step(hpa, state, seen(mean, replicas), now_s=now_s)
        replicas = decision.desired
        decisions.append(decision)
    return decisions


def test_by_default_replicas_at_most_double_or_grow_by_four_in_15_s() -> None:
    few, _ = step(HPA, NEW, seen(5.0, 2), now_s=0)
    many, _ = step(HPA, NEW, seen(5.0, 20), now_s=0)
    assert (few.desired, many.desired) == (6, 40)
    assert many.reason("ScalingLimited") == "ScaleUpLimit"


def test_a_limit_looks_back_over_its_period() -> None:
    _, grown = step(HPA, NEW, seen(5.0, 10), now_s=0)
    soon, _ = step(HPA, grown, seen(5.0, 20), now_s=10)
    later, _ = step(HPA, grown, seen(5.0, 20), now_s=15)
    assert (soon.desired, later.desired) == (20, 40)


def test_what_was_removed_within_the_period_may_come_back_besides_the_policy() -> None:
    one = Rules(stabilization_s=0.0, policies=(Policy(kind="Pods", value=1, period_s=60.0),))
    hpa = replace(HPA, behaviour=Behaviour(up=one, down=AT_ONCE))
    *_, back = looked(hpa, (0, 0.25), (15, 5.0))  # 10 → 5; the minute began with 10, and one more is allowed
    assert back.desired == 11


@pytest.mark.parametrize(
    ("replicas", "mean", "desired", "reason"),
    [
        (90, 5.0, 100, "TooManyReplicas"),
        (100, 5.0, 100, "TooManyReplicas"),
        (100, 0.5, 100, "DesiredWithinRange"),
        (3, 0.0, 2, "TooFewReplicas"),
        (60, 0.5, 60, "DesiredWithinRange"),
        (2, 0.0, 2, "TooFewReplicas"),
        (10, 0.7, 14, "DesiredWithinRange"),
    ],
)
def test_the_bounds_hold_and_are_named(replicas: int, mean: float, desired: int, reason: str) -> None:
    decision, _ = step(FREE, NEW, seen(mean, replicas), now_s=0)
    assert (decision.desired, decision.reason("ScalingLimited")) == (desired, reason)
    assert Condition(kind="ScalingLimited", holds=reason != "DesiredWithinRange", reason=reason) in decision.conditions


def test_where_policy_and_bound_allow_the_same_the_bound_is_named() -> None:
    half = Rules(stabilization_s=0.0, policies=(Policy(kind="Percent", value=50, period_s=15.0),))
    hpa = replace(HPA, min_replicas=10, max_replicas=30, behaviour=Behaviour(up=half, down=half))
    high, _ = step(hpa, NEW, seen(5.0, 20), now_s=0)
    low, _ = step(hpa, NEW, seen(0.0, 20), now_s=0)
    assert (high.desired, high.reason("ScalingLimited")) == (30, "TooManyReplicas")
    assert (low.desired, low.reason("ScalingLimited")) == (10, "TooFewReplicas")


def test_a_policy_tighter_than_the_bound_is_named() -> None:
    one = Rules(stabilization_s=0.0, policies=(Policy(kind="Pods", value=1, period_s=15.0),))
    low, _ = step(replace(HPA, behaviour=Behaviour(down=one)), NEW, seen(0.0, 20), now_s=0)
    assert (low.desired, low.reason("ScalingLimited")) == (19, "ScaleDownLimit")


def test_a_behaviours_own_tolerance_replaces_the_controllers() -> None:
    own = Behaviour(up=replace(AT_ONCE, tolerance_ratio=0.0), down=replace(AT_ONCE, tolerance_ratio=0.5))
    hpa = replace(HPA, behaviour=own)
    assert step(hpa, NEW, seen(0.51, 10), now_s=0)[0].desired == 11
    assert step(hpa, NEW, seen(0.30, 10), now_s=0)[0].desired == 10
    assert step(replace(FREE, tolerance_ratio=0.5), NEW, seen(0.74, 10), now_s=0)[0].desired == 10


@pytest.mark.parametrize(("replicas", "desired"), [(101, 100), (1, 2)])
def test_replicas_outside_the_bounds_are_brought_back_without_asking_a_metric(replicas: int, desired: int) -> None:
    decision, _ = step(HPA, NEW, seen(None, replicas), now_s=0)
    assert (decision.desired, decision.reason("AbleToScale")) == (desired, "SucceededRescale")


def test_a_target_scaled_to_nothing_by_hand_stays_there() -> None:
    decision, _ = step(HPA, NEW, seen(5.0, 0), now_s=0)
    assert (decision.desired, decision.reason("ScalingActive")) == (0, "ScalingDisabled")


def test_scaling_down_waits_for_the_highest_recommendation_of_five_minutes() -> None:
    first, second, third, last = looked(HPA, (0, 0.5), (15, 0.1), (299, 0.1), (300, 0.1))
    assert (second.desired, second.reason("AbleToScale")) == (10, "ScaleDownStabilized")
    assert (first.desired, third.desired, last.desired) == (10, 10, 2)
    assert last.reason("AbleToScale") == "SucceededRescale"


def test_a_controller_that_has_just_started_scales_nothing_down_for_five_minutes() -> None:
    first, before, after = looked(HPA, (0, 0.1), (299, 0.1), (300, 0.1))
    assert (first.desired, before.desired, after.desired) == (10, 10, 2)


def test_a_window_for_scaling_up_takes_the_lowest_recommendation() -> None:
    up = replace(AT_ONCE, stabilization_s=60.0)
    hpa = replace(HPA, behaviour=Behaviour(up=up))
    first, second, third, last = looked(hpa, (0, 0.5), (15, 1.0), (45, 0.75), (60, 1.0))
    assert (first.desired, second.desired, third.desired, last.desired) == (10, 10, 10, 15)
    assert second.reason("AbleToScale") == "ScaleUpStabilized"


def test_one_pod_held_back_is_held_back_from_scaling_up() -> None:
    hpa = replace(HPA, behaviour=Behaviour(up=replace(AT_ONCE, stabilization_s=60.0)))
    decision, _ = step(hpa, NEW, seen(0.575, 5), now_s=0)
    assert (decision.desired, decision.reason("AbleToScale")) == (5, "ScaleUpStabilized")


def test_without_a_metric_nothing_changes_and_the_conditions_say_so() -> None:
    limited, state = step(HPA, NEW, seen(5.0, 20), now_s=0)
    decision, after = step(HPA, state, seen(None, 40), now_s=15)
    assert (decision.desired, decision.reason("ScalingActive")) == (40, "FailedGetResourceMetric")
    assert decision.reason("ScalingLimited") == limited.reason("ScalingLimited") == "ScaleUpLimit"  # as it was
    assert after == state


def test_replicas_changed_by_somebody_else_are_what_is_decided_upon() -> None:
    _, state = step(HPA, NEW, seen(0.5, 10), now_s=0)
    decision, _ = step(HPA, state, seen(1.0, 30), now_s=15)
    assert decision.desired == 60


def test_a_disabled_direction_does_not_scale() -> None:
    held = replace(HPA, behaviour=Behaviour(up=replace(AT_ONCE, select=Select.DISABLED)))
    decision, _ = step(held, NEW, seen(5.0, 5), now_s=0)
    assert (decision.desired, decision.reason("ScalingLimited")) == (5, "ScaleUpLimit")


@pytest.mark.parametrize(("select", "up", "down"), [(Select.MIN, 11, 9), (Select.MAX, 15, 5)])
def test_the_policy_that_is_selected_decides(select: Select, up: int, down: int) -> None:
    both = (Policy(kind="Percent", value=50, period_s=15), Policy(kind="Pods", value=1, period_s=15))
    rules = Rules(stabilization_s=0, policies=both, select=select)
    hpa = replace(HPA, behaviour=Behaviour(up=rules, down=rules))
    assert step(hpa, NEW, seen(5.0, 10), now_s=0)[0].desired == up
    assert step(hpa, NEW, seen(0.0, 10), now_s=0)[0].desired == down


def test_an_autoscaler_without_a_metric_is_none() -> None:
    with pytest.raises(ValueError, match="not an autoscaler"):
        replace(HPA, metrics=())


looks = st.lists(st.tuples(st.floats(0, 5), st.integers(0, 30), st.floats(1, 40)), min_size=1, max_size=40)


@given(looks)
def test_desired_never_leaves_its_bounds_nor_its_policies(given_looks: list[tuple[float, int, float]]) -> None:
    state, replicas, now_s = NEW, 2, 0.0
    at = [(0.0, replicas)]
    for mean, unready, later_s in given_looks:
        now_s += later_s
        decision, state = step(HPA, state, seen(mean, replicas, min(unready, replicas)), now_s=now_s)
        replicas = decision.desired
        at.append((now_s, replicas))
        assert 2 <= replicas <= 100
        began = next(n for at_s, n in reversed(at) if at_s <= now_s - 15 or at_s == 0.0)
        assert replicas <= max(2 * began, began + 4, at[-2][1])


@given(looks)
def test_nothing_is_removed_that_was_wanted_within_the_window(given_looks: list[tuple[float, int, float]]) -> None:
    state, replicas, now_s = NEW, 10, 0.0
    wanted: list[tuple[float, int]] = []
    for mean, _, later_s in given_looks:
        now_s += later_s
        before = replicas
        decision, state = step(HPA, state, seen(mean, before), now_s=now_s)
        replicas = decision.desired
        wanted.append((now_s, state.recommendations[-1][1]))
        highest = max(n for at_s, n in wanted if now_s - at_s < 300)
        assert replicas >= min(before, highest)


@given(looks)
def test_what_is_remembered_does_not_grow_without_end(given_looks: list[tuple[float, int, float]]) -> None:
    state, replicas, now_s = NEW, 10, 0.0
    for mean, _, later_s in given_looks:
        now_s += later_s
        decision, state = step(HPA, state, seen(mean, replicas), now_s=now_s)
        replicas = decision.desired
        assert all(now_s - at_s < 300 for at_s, _ in state.recommendations)
        assert all(now_s - event.at_s < 15 for event in state.events)


@given(st.integers(2, 100), st.floats(0.46, 0.54))
def test_within_the_tolerance_nothing_moves(replicas: int, mean: float) -> None:
    decision, _ = step(FREE, NEW, seen(mean, replicas), now_s=0)
    assert decision.desired == replicas
    assert decision.reason("AbleToScale") == "ReadyForNewScale"
