"""Workloads by name and by file, and what is said of those that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtest import _engine
from scenarios.engine_plan import engine_plan
from scenarios.errors import PlanError
from scenarios.files_tables import columns_of, read_tables
from scenarios.plan_check import check_plan
from scenarios.workload import Workload
from scenarios.workload_files import known_workloads, load_workload
from tests.scenarios.journeys import plan

MIXES = {
    "ota-heavy": [0.42, 0.10, 0.07, 0.05, 0.14, 0.04, 0.04, 0.06, 0.08],
    "direct-heavy": [0.38, 0.14, 0.08, 0.05, 0.08, 0.05, 0.05, 0.09, 0.08],
    "enterprise-mix": [0.40, 0.10, 0.06, 0.04, 0.12, 0.05, 0.05, 0.08, 0.10],
}


@pytest.mark.parametrize("name", MIXES)
def test_the_mixes_have_the_shares_of_the_design(name: str) -> None:
    workload = load_workload(name)
    assert [request.weight for request in workload.requests] == MIXES[name]


def test_every_write_carries_its_own_idempotency_key() -> None:
    for request in load_workload("ota-heavy").requests:
        assert request.writes == ("X-Idempotency-Key" in request.headers)


def test_the_known_workloads_are_found_by_name() -> None:
    assert {*MIXES, "get-root"} <= set(known_workloads())


def in_file(folder: Path, text: str, name: str = "") -> str:
    path = folder / "mine.py"
    path.write_text(text)
    return f"{path}:{name}" if name else str(path)


GOOD = """
from scenarios.workload import Request, Workload
MINE = Workload(name="mine", requests=(Request(name="a", weight=1, method="GET", path="/"),))
"""


def test_a_file_of_ones_own_is_taken(tmp_path: Path) -> None:
    assert load_workload(in_file(tmp_path, GOOD, "MINE")).name == "mine"
    assert load_workload(in_file(tmp_path, GOOD)).name == "mine"


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        (GOOD, "OTHER", r"no workload 'OTHER' \(it has: MINE\)"),
        ("x = 1", "", "it has: none"),
        ("1 / 0", "", r"ZeroDivisionError: .* \(mine.py, line 1\)"),
        ("def", "", "SyntaxError"),
        ("import sys; sys.exit(3)", "", r"SystemExit: 3 \(mine.py, line 1\)"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, name: str, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        load_workload(in_file(tmp_path, text, name))


@pytest.mark.parametrize(
    "change", ["expect=(200)", "timeout_s='1'", "name=7", "checks=StatusIn((200,))", "captures=None"]
)
def test_a_value_of_another_type_is_told_as_the_files_mistake(tmp_path: Path, change: str) -> None:
    values = {"name": "'a'", "method": "'GET'", "path": "'/'", **dict([change.split("=", 1)])}
    one = ", ".join(f"{name}={value}" for name, value in values.items())
    asked = in_file(
        tmp_path, f"from scenarios.workload import *\nMINE = Workload(name='w', requests=(Request({one}),))"
    )
    with pytest.raises(PlanError, match="'w': a value has another type"):
        check_plan(plan(load_workload(asked)))


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(PlanError, match="no workload file"):
        load_workload("nowhere.py:A")


def test_the_workload_that_the_documentation_shows_can_be_sent() -> None:
    page = (Path(__file__).parents[2] / "docs" / "workloads.md").read_text(encoding="utf-8")
    (shown,) = [part for part in page.split("```python\n")[1:] if part.startswith("from scenarios.workload import")]
    names: dict[str, object] = {}
    exec(shown.split("```")[0], names)
    shop = names["SHOP"]
    assert isinstance(shop, Workload)
    asked = plan(shop)
    check_plan(asked)
    compiled = engine_plan(asked, run_date="2026-11-24", tables={}, secrets={})
    _engine.validate_plan(json.dumps(compiled))
    assert [request["name"] for request in compiled["requests"]] == ["search", "order/buy", "order/shown"]


def test_the_files_it_is_fed_from_start_in_its_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from scenarios.workload import Feeder, Flow, Request, Step, Workload\n"
        "GUESTS = Feeder('data/guests.csv')\n"
        "A = Request(name='a', method='GET', path='/', query={'e': GUESTS['email']})\n"
        "B = Request(name='b', method='POST', path='/', json={'list': [GUESTS['email']]})\n"
        "MINE = Workload(name='mine', requests=(A,), flows=(Flow(name='f', steps=(Step(B),), weight=1),))\n"
    )
    path = in_file(tmp_path, text, "MINE")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "guests.csv").write_text("email\na@example.com\n")
    workload = load_workload(path)
    monkeypatch.chdir("/")  # as the master, whose folder is another
    assert {column.file for column in columns_of(workload)} == {str(tmp_path / "data" / "guests.csv")}
    (table,) = read_tables(workload).values()
    assert table.rows == (("a@example.com",),)
