"""How long each leg of a scale-up took, and who is blamed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.autoscaling.legs import Course, LoadRise, Steps, load_rises, scale_ups
from scenarios.profile import Phase, Profile
from slo.scale_ups import ScaleUp, Stage, slowest

JUMP = (LoadRise(start_unix_s=100.0, by_step=True),)
RAMP = (LoadRise(start_unix_s=100.0, by_step=False),)


def steps(*changes: tuple[float, float]) -> Steps:
    return Steps(at_unix_s=np.array([at for at, _ in changes]), values=np.array([value for _, value in changes]))


def course(**more: Steps) -> Course:
    """From two to four at 110, created at 110.5, with a node at 111, ready at 119."""
    return Course(**{
        "desired": steps((0, 2), (110, 4)), "replicas": steps((0, 2), (110.5, 4)),
        "scheduled": steps((0, 2), (111, 4)), "ready": steps((0, 2), (115, 3), (119, 4)),
        "metric_ratio": steps((0, 0.5), (104, 1.8)), **more,
    })  # fmt: skip


def only(ups: tuple[ScaleUp, ...]) -> ScaleUp:
    (up,) = ups
    return up


def legs(up: ScaleUp) -> dict[str, float]:
    return {leg.stage.value: leg.took_s for leg in up.legs}


def test_each_leg_runs_from_the_stage_before_it() -> None:
    up = only(scale_ups(course(), JUMP))
    assert (up.from_replicas, up.to_replicas, up.took_s) == (2, 4, 19)
    assert legs(up) == {"over target": 4, "desired": 6, "replicas": 0.5, "scheduled": 0.5, "ready": 8}
    assert up.blamed is not None
    assert up.blamed.stage is Stage.READY


def test_what_nobody_saw_falls_to_the_next_leg() -> None:
    seen = Course(desired=steps((0, 2), (110, 4)), ready=steps((0, 2), (119, 4)))
    assert legs(only(scale_ups(seen, JUMP))) == {"desired": 10, "ready": 9}


def test_in_a_ramp_the_time_before_it_was_needed_blames_nobody() -> None:
    slow_ramp = course(desired=steps((0, 2), (150, 4)), metric_ratio=steps((0, 0.5), (148, 1.2)),
                       replicas=steps((0, 2), (150.5, 4)), scheduled=steps((0, 2), (151, 4)),
                       ready=steps((0, 2), (156, 4)))  # fmt: skip
    up = only(scale_ups(slow_ramp, RAMP))
    assert up.blamed is not None
    assert (up.blamed.stage, up.blamed.took_s) == (Stage.READY, 5)
    by_step = only(scale_ups(slow_ramp, JUMP))
    assert by_step.blamed is not None
    assert by_step.blamed.stage is Stage.OVER_TARGET


def test_a_second_raise_counts_from_the_first() -> None:
    twice = course(desired=steps((0, 2), (110, 4), (125, 8)), ready=steps((0, 2), (119, 4), (140, 8)))
    first, second = scale_ups(twice, JUMP)
    assert (first.since_unix_s, second.since_unix_s) == (100, 110)
    assert (second.from_replicas, second.to_replicas, second.took_s) == (4, 8, 30)


def test_a_raise_before_any_load_counts_from_itself() -> None:
    up = only(scale_ups(course(), ()))
    assert (up.load_unix_s, up.since_unix_s, up.took_s) == (None, 110, 9)


def test_what_was_never_ready_never_took_any_time() -> None:
    up = only(scale_ups(course(ready=steps((0, 2), (115, 3))), JUMP))
    assert (up.ready_unix_s, up.took_s) == (None, None)
    assert slowest((up, only(scale_ups(course(), JUMP)))) is up


def test_what_came_when_less_was_wanted_again_came_too_late() -> None:
    taken_back = course(desired=steps((0, 2), (110, 4), (115, 3)))
    assert only(scale_ups(taken_back, JUMP)).ready_unix_s is None


def test_the_first_decision_of_all_is_no_raise() -> None:
    assert scale_ups(course(desired=steps((0, 0), (90, 2))), JUMP) == ()


def test_stages_that_were_seen_out_of_order_take_no_time() -> None:
    odd = only(scale_ups(course(replicas=steps((0, 2), (112, 4)), scheduled=steps((0, 2), (111, 4))), JUMP))
    assert legs(odd)["scheduled"] == 0
    assert sum(legs(odd).values()) == odd.took_s


@given(st.lists(st.tuples(st.floats(0, 500), st.integers(0, 40)), min_size=1, max_size=30))
def test_legs_are_never_negative_and_add_up(changes: list[tuple[float, int]]) -> None:
    ordered = sorted(changes)
    wanted = steps(*[(at, float(value)) for at, value in ordered])
    had = steps(*[(at + 7, float(value)) for at, value in ordered])
    for up in scale_ups(Course(desired=wanted, ready=had), JUMP):
        assert all(leg.took_s >= 0 for leg in up.legs)
        assert up.to_replicas > up.from_replicas
        if up.took_s is not None:
            assert sum(leg.took_s for leg in up.legs) == pytest.approx(up.took_s)


def profile(*phases: tuple[float, float, float]) -> Profile:
    return Profile(phases=tuple(
        Phase(name=f"p{place}", duration_s=duration_s, from_rps=low, to_rps=high)
        for place, (duration_s, low, high) in enumerate(phases)
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("phases", "rises"),
    [
        ([(60, 100, 100)], [(0, True)]),
        ([(60, 0, 100), (60, 100, 100)], [(0, False)]),
        ([(10, 0, 50), (50, 50, 100)], [(0, False)]),
        ([(60, 10, 10), (30, 10, 100), (60, 100, 100)], [(0, True), (60, False)]),
        ([(60, 100, 100), (30, 100, 10), (60, 10, 10), (60, 200, 200)], [(0, True), (150, True)]),
    ],
)
def test_the_load_rises_where_the_rate_line_does(
    phases: list[tuple[float, float, float]], rises: list[tuple[float, bool]]
) -> None:
    found = load_rises(profile(*phases), 1000.0)
    assert [(rise.start_unix_s - 1000, rise.by_step) for rise in found] == rises
