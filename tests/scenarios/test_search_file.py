"""A plan that seeks the limit: what its file says, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import PlanError
from scenarios.files import load_plan, plan_to_json
from scenarios.plan_json import plan_from_json
from scenarios.search_file import with_fixed_replicas
from scenarios.target import Target, TargetClass, WriteConsent
from slo.objective import Limit, Scaling

REHEARSAL = Target(name="here", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL)
PLAN = """\
# a search
workload: ota-heavy
objectives: smoke
rate_to_prove_rps: 1000
search: {%s}
phases:
  - {name: hold, duration: 20s, from_share: 1, to_share: 1}
"""


def written(folder: Path, search: str = "") -> str:
    path = folder / "seek.yaml"
    path.write_text(PLAN % search)
    return str(path)


def test_shares_become_rates_of_the_rate_to_prove() -> None:
    search = load_plan("stress", target=REHEARSAL, rate_rps=2000).search
    assert search
    assert (search.start_rps, search.most_rps, search.at_least_rps) == (200.0, 8000.0, 2000.0)


def test_a_search_must_be_met_like_an_objective() -> None:
    plan = load_plan("stress", target=REHEARSAL)
    assert plan.objectives[0] == Limit(name="limit", at_least_rps=30_000.0, resolution_ratio=0.05)


def test_a_search_survives_the_record() -> None:
    plan = load_plan("stress", target=REHEARSAL)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_with_fixed_replicas_nothing_is_asked_of_scaling(tmp_path: Path) -> None:
    by_option = with_fixed_replicas(load_plan("stress", target=REHEARSAL))
    by_file = load_plan(written(tmp_path, "replicas: fixed"), target=REHEARSAL)
    for plan in (by_option, by_file):
        assert plan.search
        assert plan.search.replicas == "fixed"
        assert not any(isinstance(one, Scaling) for one in plan.objectives)


def test_fixed_replicas_are_for_plans_that_seek_the_limit() -> None:
    with pytest.raises(PlanError, match="has no `search`"):
        with_fixed_replicas(load_plan("smoke", target=REHEARSAL))


@pytest.mark.parametrize(
    ("search", "complaint"),
    [
        ("start_share: 2, most_share: 1", "search.most_share"),
        ("level: 30s, level_at_most: 10s", "search.level_at_most"),
        ("level: soon", "search.level"),
        ("growth: 1", "growth"),
        ("colour: red", "colour"),
    ],
)
def test_a_mistake_in_a_search_is_named(tmp_path: Path, search: str, complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        load_plan(written(tmp_path, search), target=REHEARSAL)


def test_consent_to_writes_must_cover_all_that_a_search_may_send(tmp_path: Path) -> None:
    agreed = WriteConsent(requests=("*",), at_most=100_000)
    staging = Target(name="staging", url="http://127.0.0.1:1", target_class=TargetClass.STAGING, writes=agreed)
    with pytest.raises(PlanError, match="writes are due"):
        load_plan(written(tmp_path), target=staging)


def test_a_first_level_of_too_few_requests_for_its_percentiles_is_refused(tmp_path: Path) -> None:
    seek = written(tmp_path, "start_share: 0.004, level_at_most: 60s")  # 4.2 requests/s
    with pytest.raises(
        PlanError, match="p99-latency: the first level has 252 requests in its 60 s, and 299 are needed"
    ):
        load_plan(seek, target=REHEARSAL)
    assert load_plan(seek, target=REHEARSAL, rate_rps=1200).search


def test_levels_shorter_than_a_window_of_throughput_are_refused(tmp_path: Path) -> None:
    seek = written(tmp_path, "level: 4s, level_at_most: 4s")
    with pytest.raises(PlanError, match="a level of 4 s is shorter than a window of"):
        load_plan(seek, target=REHEARSAL)
