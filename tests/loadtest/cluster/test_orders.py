"""What travels to a cluster with a plan: its files under names that a ConfigMap takes, and nothing that needs more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.cluster.orders import MOUNTED, NO_KEY, portable
from loadtest.processes import LOCUST, OwnLocustfile, locust_of
from scenarios.closed_plan import with_locustfile
from scenarios.engine_plan import secret_variables
from scenarios.errors import PlanError
from scenarios.files import load_plan
from scenarios.plan import ClosedLoad, Plan
from scenarios.plan_json import plan_from_json, plan_to_json
from scenarios.target import Target, TargetClass

TARGET = Target(name="shop", url="http://shop.svc:8080", target_class=TargetClass.REHEARSAL)
USERS = "from locust import HttpUser\n\n\nclass Visitor(HttpUser):\n    pass\n"


def closed(folder: Path, text: str, name: str = "my users.py") -> Plan:
    (folder / name).write_text(text)
    plan = load_plan("smoke", target=TARGET)
    return with_locustfile(plan, ClosedLoad(locustfile=str(folder / name), users=8, spawn_rate=4))


def test_a_locustfile_travels_and_locust_is_told_where_it_lies(tmp_path: Path) -> None:
    carried = portable(closed(tmp_path, USERS))
    ((key, text),) = carried.files.items()
    assert (text, NO_KEY.search(key)) == (USERS, None)
    in_the_pod = plan_from_json(plan_to_json(carried.plan))
    words = locust_of(OwnLocustfile.of(in_the_pod))
    assert words[words.index("--host") + 1] == TARGET.url
    assert words[words.index("-f") + 1].endswith(f",{MOUNTED / key}")


def test_without_one_locust_is_called_with_golives_own(tmp_path: Path) -> None:
    del tmp_path
    assert locust_of(OwnLocustfile.of(load_plan("smoke", target=TARGET))) == list(LOCUST)


def test_its_users_need_no_login_of_the_plans(tmp_path: Path) -> None:
    plan = closed(tmp_path, USERS)
    assert secret_variables(plan) == ()
    assert plan.workload.login is None


@pytest.mark.parametrize("imported", ["import shared", "from shared import x", "def f():\n    from . import shared"])
def test_one_that_needs_what_lies_beside_it_is_refused_by_name(tmp_path: Path, imported: str) -> None:
    (tmp_path / "shared.py").write_text("x = 1\n")
    with pytest.raises(PlanError, match="imports shared from beside it"):
        portable(closed(tmp_path, f"import json\n{imported}\n{USERS}"))


def test_a_package_beside_it_is_refused_too_and_what_is_installed_is_not(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    with pytest.raises(PlanError, match="imports shop"):
        portable(closed(tmp_path, f"import requests, shop.pages\n{USERS}"))
    assert portable(closed(tmp_path, f"import requests\n{USERS}")).files


def test_one_that_is_no_python_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"cannot be read as Python: .*line 1"):
        portable(closed(tmp_path, "class Visitor(\n"))


def test_one_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="a ConfigMap holds 900,000"):
        portable(replace(closed(tmp_path, USERS + f"# {'x' * 900_000}\n")))
