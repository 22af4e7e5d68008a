"""A scale-up in words, and the slowest of several."""

from __future__ import annotations

from slo.scale_ups import ScaleUp, Stage, slowest


def up(
    *, ready: float | None = 30.0, over: float | None = None, by_step: bool = True, desired: float = 10.0
) -> ScaleUp:
    return ScaleUp(from_replicas=2, to_replicas=4, load_unix_s=0.0, by_step=by_step, since_unix_s=0.0,
                   over_target_unix_s=over, desired_unix_s=desired, ready_unix_s=ready)  # fmt: skip


def test_a_leg_whose_end_nobody_saw_adds_its_time_to_the_next() -> None:
    assert [(leg.stage, leg.took_s) for leg in up().legs] == [(Stage.DESIRED, 10), (Stage.READY, 20)]


def test_the_slowest_leg_is_blamed() -> None:
    assert (up().blamed, up().took_s) == (up().legs[1], 30)


def test_a_leg_within_kubernetes_own_grain_is_blamed_for_nothing() -> None:
    assert up(desired=0.2, ready=0.9).blamed is None


def test_a_ramp_blames_nobody_for_the_time_before_it_was_needed() -> None:
    blamed = up(desired=50, ready=55, by_step=False).blamed
    assert blamed
    assert blamed.stage is Stage.READY
    late = up(over=20, desired=50, ready=55, by_step=False).blamed
    assert late
    assert late.stage is Stage.DESIRED


def test_one_that_never_became_ready_is_slower_than_all() -> None:
    never, slow, fast = up(ready=None), up(ready=40), up(ready=12)
    assert slowest([fast, slow]) is slow
    assert slowest([slow, never, fast]) is never
    assert slowest([]) is None
