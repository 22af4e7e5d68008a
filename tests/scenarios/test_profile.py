"""The rate line and its integral agree."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import _engine
from scenarios.engine_plan import engine_plan
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import Request, Workload

rates = st.floats(0, 500)
phases = st.lists(st.tuples(st.integers(1, 20), rates, rates), min_size=1, max_size=4)


def a_profile(lines: list[tuple[int, float, float]]) -> Profile:
    return Profile(
        phases=tuple(
            Phase(name=f"p{index}", duration_s=float(duration), from_rps=start, to_rps=end)
            for index, (duration, start, end) in enumerate(lines)
        )
    )


@given(phases)
def test_the_rate_integrates_to_the_arrivals(lines: list[tuple[int, float, float]]) -> None:
    profile = a_profile(lines)
    step_s = 0.01
    steps = round(profile.duration_s / step_s)
    area = sum(profile.rate_at((step + 0.5) * step_s) for step in range(steps)) * step_s
    assert area == pytest.approx(profile.arrivals_by(profile.duration_s), rel=0.01, abs=0.5)


@given(phases, st.floats(-5, 100), st.floats(0, 10))
def test_arrivals_never_go_back(lines: list[tuple[int, float, float]], at_s: float, more_s: float) -> None:
    profile = a_profile(lines)
    assert profile.arrivals_by(at_s) <= profile.arrivals_by(at_s + more_s) + 1e-9


@given(phases)
def test_the_engine_deals_out_what_the_profile_promises(lines: list[tuple[int, float, float]]) -> None:
    profile = a_profile(lines)
    plan = Plan(
        name="p",
        workload=Workload(name="w", requests=(Request(name="a", weight=1, method="GET", path="/"),)),
        profile=profile,
        target=Target(name="t", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL),
        objectives=(),
        rate_to_prove_rps=1,
    )
    due = _engine.due_counts(json.dumps(engine_plan(plan, run_date="2026-11-24", tables={}, secrets={})))
    for second, counts in enumerate(due):
        promised = profile.arrivals_by(second + 1) - profile.arrivals_by(second)
        assert abs(sum(counts) - promised) <= 1.0 + 1e-6


def test_outside_the_line_nothing_is_due() -> None:
    profile = a_profile([(10, 5, 5)])
    assert (profile.rate_at(-1), profile.rate_at(10), profile.arrivals_by(99)) == (0.0, 0.0, 50.0)
