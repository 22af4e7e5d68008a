"""What a request is written with is held to what can be written, before any load and with its place."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from scenarios.errors import PlanError
from scenarios.plan_check import check_plan
from scenarios.workload import Captured, Choice, DateFromToday, Feeder, Link, Login, RandomInt, Sequence, Text, Uuid
from tests.scenarios.journeys import plan, request, workload


def refusal(**changes: Any) -> str:
    with pytest.raises(PlanError) as told:
        check_plan(plan(workload(requests=(request(**changes),))))
    return str(told.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"query": {"page": 1}}, "request 'a': query 'page' is 1, neither a text nor a value: write '1'"),
        ({"query": {"tag": ["x", "y"]}}, "query 'tag' is ['x', 'y'], neither a text nor a value"),
        ({"query": {1: "x"}}, "query 1: its name is no text"),
        (
            {"json": {Captured("id"): 1}},
            "json: a name in JSON is fixed text, not Captured(name='id', bare=False, kind=",
        ),
        ({"headers": {"X-N": 1.5}}, "header 'X-N' is 1.5, neither a text nor a value: write '1.5'"),
        ({"headers": {"X-Id": Uuid}}, "is <class 'scenarios.values.Uuid'>, neither a text nor a value: write Uuid()"),
        ({"path": Text(("/orders/", 7))}, "path is 7, neither a text nor a value: write '7'"),  # type: ignore[arg-type]
        ({"path": Text("/orders/")}, "path: Text takes a tuple of pieces: Text(('/orders/',))"),  # type: ignore[arg-type]
        ({"json": {"on": [datetime.date(2026, 1, 2)]}}, "json/on/0 is datetime.date(2026, 1, 2), neither"),
        ({"json": {"ids": {7}}}, "json/ids is {7}, neither"),
        ({"json": {"price": float("nan")}}, "json/price is nan, a number that JSON does not have"),
        ({"query": {"q": Choice("tea")}}, "query 'q': Choice('tea') chooses among its letters"),  # type: ignore[arg-type]
        ({"json": [Choice((1, 2))]}, "json/0: Choice takes a tuple of texts, not (1, 2)"),  # type: ignore[arg-type]
        ({"json": RandomInt(at_least=5, at_most=1)}, "RandomInt takes whole numbers, least and most, not 5 and 1"),
        ({"json": DateFromToday(at_least_days=0, at_most_days=1.5)}, "DateFromToday takes whole numbers"),  # type: ignore[arg-type]
        ({"json": Sequence(start=-1)}, "Sequence starts at a whole number of 0 or more, not at -1"),
        ({"path": "orders/1"}, "path 'orders/1' does not begin with '/'"),
        ({"path": "/a/../admin"}, "path '/a/../admin' leads out of the target's own by '..'"),
        ({"path": Text(("/", Uuid(), "/%2e%2E/b"))}, "leads out of the target's own by '..'"),
        ({"path": Choice(("/a", "/b"))}, "path Choice(options=('/a', '/b'), kind='choice') does not begin with '/'"),
        ({"path": "https://other.test/a"}, "is a whole URL: write the path alone, targets.yaml says where to"),
        ({"form": {"n": 1}}, "form 'n' is 1, neither a text nor a value: write '1'"),
        ({"form": {"n": "1"}, "json": {}}, "json and form are two bodies"),
        ({"form": {"n": "1"}, "headers": {"content-type": "a/b"}}, "take the header Content-Type out"),
        ({"path": Captured("to")}, "does not begin with '/'; to go where it leads: path=Link('to')"),
        ({"path": Feeder("u.csv")["url"]}, "if it holds whole paths: path=FEEDER.path('url')"),
        ({"path": Text(("/a/", Link("to")))}, "path: Link(name='to', kind='link') can only be the whole path"),
        ({"query": {"q": Feeder("u.csv").path("url")}}, "can only be the whole path of a request"),
        ({"path": Link("to"), "query": {"a": "b"}}, "is taken as it stands: it takes no query"),
        ({"path": "/a?x=1", "query": {"y": "2"}}, "has a query in its path and another one in `query`"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_place_and_the_remedy(changes: dict[str, Any], told: str) -> None:
    assert told in refusal(**changes)


def test_what_is_common_to_all_requests_and_what_logs_in_is_looked_through_too() -> None:
    with pytest.raises(PlanError, match="workload 'w': header 'X-Tenant' is 7, neither a text nor a value"):
        check_plan(plan(workload(headers={"X-Tenant": 7})))
    login = Login(method="POST", path="/t", token_pointer="/t", headers={"X-N": 7})  # type: ignore[dict-item]
    with pytest.raises(PlanError) as told:
        check_plan(plan(workload(login=login)))
    assert "the login's header 'X-N' is 7" in str(told.value)
    assert "the login sends neither json nor form" in str(told.value)


@pytest.mark.parametrize(("path", "told"), [("t", "does not begin with '/'"), ("/a/%2E./t", "leads out of the target")])
def test_a_login_goes_to_the_target_alone(path: str, told: str) -> None:
    login = Login(method="POST", path=path, token_pointer="/t", json={})
    with pytest.raises(PlanError, match=f"the login.*{told}"):
        check_plan(plan(workload(login=login)))


def test_a_url_in_a_query_of_the_path_is_no_mistake() -> None:
    check_plan(plan(workload(requests=(request(path="/go?to=https://a.test/"),))))
