"""How far policies let an HPA go: the documented examples, by hand."""

from __future__ import annotations

from typing import Literal

import pytest

from analysis.autoscaling.behaviour import Policy, Rules, ScaleEvent, Select, down_limit, up_limit


def rules(kind: Literal["Pods", "Percent"], value: int, *, select: Select = Select.MAX, period_s: float = 60) -> Rules:
    return Rules(stabilization_s=0, policies=(Policy(kind=kind, value=value, period_s=period_s),), select=select)


def at(at_s: float, change: int) -> ScaleEvent:
    return ScaleEvent(at_s=at_s, change=change)


def test_a_percentage_is_rounded_so_that_something_changes() -> None:
    assert up_limit(rules("Percent", 10), current=5, events=(), now_s=0) == 6  # 5.5
    assert down_limit(rules("Percent", 10), current=72, events=(), now_s=0) == 64  # 64.8


def test_what_was_done_within_the_period_counts_and_what_is_as_old_as_the_period_does_not() -> None:
    events = (at(0, 4), at(10, 2))
    assert up_limit(rules("Pods", 6), current=16, events=events, now_s=59.9) == 16
    assert up_limit(rules("Pods", 6), current=16, events=events, now_s=60) == 20
    assert down_limit(rules("Pods", 6), current=4, events=(at(0, -4), at(10, -2)), now_s=59.9) == 4


def test_changes_in_the_other_direction_are_taken_back_too() -> None:
    assert up_limit(rules("Pods", 1), current=5, events=(at(0, -5),), now_s=15) == 11
    assert down_limit(rules("Pods", 1), current=15, events=(at(0, 5),), now_s=15) == 9


def test_a_policy_that_was_already_exceeded_holds_what_there_is() -> None:
    assert up_limit(rules("Pods", 4), current=30, events=(at(0, 20),), now_s=15) == 30
    assert down_limit(rules("Pods", 4), current=10, events=(at(0, -20),), now_s=15) == 10


@pytest.mark.parametrize("held", [rules("Pods", 4, select=Select.DISABLED), Rules(stabilization_s=0, policies=())])
def test_without_a_policy_that_allows_it_nothing_changes(held: Rules) -> None:
    assert up_limit(held, current=10, events=(), now_s=0) == down_limit(held, current=10, events=(), now_s=0) == 10
