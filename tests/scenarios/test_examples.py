"""The examples of the documentation are files that golive takes, from whichever folder it is called in."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.files import load_plan, read_targets

TEST_CLUSTER = Path(__file__).parents[2] / "docs" / "examples" / "test-cluster"


@pytest.mark.parametrize("name", ["spike", "stress"])
def test_the_plans_for_the_test_cluster_can_be_driven_at_its_target(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (target,) = read_targets(TEST_CLUSTER / "targets.yaml")
    plan = load_plan(str(TEST_CLUSTER / f"{name}.yaml"), target=target)
    assert {"throughput", "scaling"} < {one.kind for one in plan.objectives}
    assert plan.target.prometheus_url


def test_what_a_plan_names_starts_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("- {kind: error_ratio, name: mine, below_ratio: 0.5}\n")
    (tmp_path / "shop.py").write_text(
        "from scenarios.workload import Request, Workload\n"
        "SHOP = Workload(name='shop', requests=(Request(name='home', weight=1, method='GET', path='/'),))\n"
    )
    text = (TEST_CLUSTER / "spike.yaml").read_text()
    text = text.replace("spike-objectives.yaml", "own.yaml").replace("ota-heavy", "shop.py:SHOP")
    (tmp_path / "plan.yaml").write_text(text)
    (target,) = read_targets(TEST_CLUSTER / "targets.yaml")
    plan = load_plan(str(tmp_path / "plan.yaml"), target=target)
    assert (plan.workload.name, [one.name for one in plan.objectives]) == ("shop", ["mine"])
