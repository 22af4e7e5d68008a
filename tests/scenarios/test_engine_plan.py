"""What the engine is given says what the workload says."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest import _engine
from scenarios.engine_plan import engine_plan, for_run, rate_line, redacted_engine_plan
from scenarios.errors import PlanError
from scenarios.files import load_plan
from scenarios.plan import Plan, Sending
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import (
    BodyContains,
    EnvSecret,
    HeaderEquals,
    Json,
    Login,
    RandomInt,
    Request,
    Sequence,
    Text,
    Token,
    Uuid,
    Workload,
)

HERE = Target(name="here", url="http://127.0.0.1:1/base", target_class=TargetClass.REHEARSAL)


def a_plan(request: Request, login: Login | None = None) -> Plan:
    return Plan(
        name="p",
        workload=Workload(name="w", requests=(request,), login=login),
        profile=Profile(phases=(Phase(name="hold", duration_s=10, from_rps=10, to_rps=10),)),
        target=HERE,
        objectives=(),
        rate_to_prove_rps=10,
    )


def compiled(request: Request, **more: Any) -> dict[str, Any]:
    plan = engine_plan(a_plan(request, **more), run_date="2026-11-24", tables={}, secrets={"PW": 'p"w'})
    _engine.validate_plan(json.dumps(plan))
    return plan


def get(**changes: Any) -> Request:
    return Request(**{"name": "a", "weight": 1, "method": "GET", "path": "/", **changes})


def fixed(pieces: list[Any]) -> str:
    """The text with every value written as 7."""
    return "".join(piece if isinstance(piece, str) else "7" for piece in pieces)


@pytest.mark.parametrize("addresses", ["all", "first"])
def test_a_plan_says_which_of_the_targets_addresses_take_load(addresses: Literal["all", "first"]) -> None:
    asked = replace(load_plan("30k", target=HERE), sending=Sending(addresses=addresses))
    compiled = engine_plan(asked, run_date="2026-11-24", tables={}, secrets={})
    assert compiled["addresses"] == addresses
    _engine.validate_plan(json.dumps(compiled))


@pytest.mark.parametrize(("duration_s", "duration_us"), [(10, 10_000_000), (1.001, 1_001_000), (0.000_001, 1)])
def test_a_phase_lasts_what_was_written_to_the_microsecond(duration_s: float, duration_us: int) -> None:
    (phase,) = rate_line([Phase(name="hold", duration_s=duration_s, from_rps=1.5, to_rps=2.5)])
    assert phase == {"duration_us": duration_us, "from_rps": 1.5, "to_rps": 2.5}


def test_the_shares_and_values_of_a_workload_are_kept() -> None:
    plan = engine_plan(load_plan("30k", target=HERE), run_date="2026-11-24", tables={}, secrets={})
    assert sum(request["weight"] for request in plan["requests"]) == pytest.approx(1.0)
    create = next(request for request in plan["requests"] if request["name"] == "create")
    assert create["expect"] == [202]
    assert ["Authorization", ["Bearer ", {"token": None}]] in create["headers"]
    assert json.loads(fixed(create["body"]))["payload"]["adults"] == 7
    _engine.validate_plan(json.dumps(plan))


json_trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(json_trees)
def test_a_body_without_values_is_the_same_json(tree: Json) -> None:
    body = compiled(get(method="POST", json={"body": tree}))["requests"][0]["body"]
    assert len(body) == 1
    assert json.loads(body[0]) == {"body": tree}


@given(st.text(max_size=20), st.text(max_size=20))
def test_values_in_a_body_keep_it_json(before: str, after: str) -> None:
    tree: Json = {
        "id": Text((before, Sequence(), after)),
        "n": RandomInt(at_least=1, at_most=9),
        "key": Uuid(),
        "all": [Uuid()],
    }
    body = json.loads(fixed(compiled(get(method="POST", json=tree))["requests"][0]["body"]))
    assert body == {"id": f"{before}7{after}", "n": 7, "key": "7", "all": ["7"]}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=12), max_size=4))
def test_a_query_survives_its_encoding(query: dict[str, str]) -> None:
    path = fixed(compiled(get(query=query))["requests"][0]["path"])
    assert path.isascii()
    assert dict(parse_qsl(urlsplit(path).query, keep_blank_values=True)) == query


@given(st.text(max_size=30))
def test_a_path_survives_its_encoding(rest: str) -> None:
    path = fixed(compiled(get(path="/" + rest))["requests"][0]["path"])
    assert unquote(path) == unquote("/" + rest)
    assert " " not in path
    assert path.isprintable()


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "a\nb", "a\0b"])
def test_a_line_break_in_a_header_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match="control character"):
        compiled(get(headers={"X-A": text}))
    with pytest.raises(PlanError, match="control character"):
        compiled(get(headers={text: "a"}))


def test_checks_are_kept() -> None:
    request = compiled(get(checks=(BodyContains("ok"), HeaderEquals("X-A", "1"))))["requests"][0]
    assert request["checks"] == [{"body_contains": "ok"}, {"header_equals": ["X-A", "1"]}]


LOGIN = Login(method="POST", path="/login", json={"user": "me", "password": EnvSecret("PW")}, token_pointer="/t")


def test_a_secret_goes_to_the_engine_and_never_into_the_record() -> None:
    request = get(headers={"Authorization": Text(("Bearer ", Token()))})
    body = compiled(request, login=LOGIN)["login"]["body"]
    assert json.loads(fixed(body)) == {"user": "me", "password": 'p"w'}
    redacted = json.dumps(redacted_engine_plan(a_plan(request, LOGIN), run_date="2026-11-24"))
    assert "(secret)" in redacted
    assert 'p\\"w' not in redacted


def test_a_header_may_hold_a_secret_too_and_a_path_or_body_may_not() -> None:
    request = get(headers={"X-Key": Text(("Key ", EnvSecret("PW")))})
    assert compiled(request)["requests"][0]["headers"] == [["X-Key", ['Key p"w']]]
    redacted = json.dumps(redacted_engine_plan(a_plan(request), run_date="2026-11-24"))
    assert "Key (secret)" in redacted
    assert 'p\\"w' not in redacted
    for leaking in (get(query={"key": EnvSecret("PW")}), get(json=EnvSecret("PW")), get(form={"key": EnvSecret("PW")})):
        with pytest.raises(PlanError, match="stands outside a login and a header"):
            compiled(leaking)


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), min_size=1, max_size=4))
def test_a_form_survives_its_encoding(form: dict[str, str]) -> None:
    request = compiled(get(method="POST", form=form))["requests"][0]
    assert dict(parse_qsl(fixed(request["body"]), keep_blank_values=True)) == form
    assert request["headers"] == [["Content-Type", ["application/x-www-form-urlencoded"]]]


def test_a_login_as_oauth_has_it_is_a_form_with_its_secret_or_a_header() -> None:
    login = Login(
        method="POST", path="/oauth/token", token_pointer="/access_token",
        form={"grant_type": "client_credentials", "client_secret": EnvSecret("PW")},
        headers={"Authorization": Text(("Basic ", EnvSecret("PW")))},
    )  # fmt: skip
    given_ = compiled(get(headers={"Authorization": Token()}), login=login)["login"]
    assert fixed(given_["body"]) == "grant_type=client_credentials&client_secret=p%22w"
    assert given_["headers"] == [
        ["Authorization", ['Basic p"w']], ["Content-Type", ["application/x-www-form-urlencoded"]],
    ]  # fmt: skip


def test_a_header_of_a_request_takes_the_place_of_the_common_one_in_whatever_case() -> None:
    asked = a_plan(get(headers={"accept": "text/csv"}, form={"a": "b"}))
    common = replace(asked.workload, headers={"Accept": "*/*", "content-type": "application/json", "X-A": "1"})
    plan = engine_plan(replace(asked, workload=common), run_date="2026-11-24", tables={}, secrets={})
    names = [name for name, _ in plan["requests"][0]["headers"]]
    assert names == ["X-A", "accept", "Content-Type"]


def test_a_token_without_a_login_is_refused_by_the_engine() -> None:
    with pytest.raises(_engine.EngineError, match="no login"):
        compiled(get(headers={"Authorization": Token()}))


def test_a_second_run_of_a_plan_draws_other_values_and_a_repeated_one_the_same() -> None:
    plan = load_plan("30k", target=HERE)
    first, again, second = (for_run(plan, run_id).sending.seed for run_id in ("run-1", "run-1", "run-2"))
    assert first == again
    assert first != second
    assert for_run(replace(plan, sending=replace(plan.sending, seed=2)), "run-1").sending.seed != first


def test_requests_carry_traces_only_when_the_plan_says_so_and_in_its_share() -> None:
    plain = a_plan(get())
    assert "trace" not in engine_plan(plain, run_date="2026-11-24", tables={}, secrets={})
    traced = replace(plain, sending=replace(plain.sending, traceparent=True, trace_sampled_ratio=0.25))
    plan = engine_plan(traced, run_date="2026-11-24", tables={}, secrets={})
    assert plan["trace"] == {"sampled_ratio": 0.25}
    _engine.validate_plan(json.dumps(plan))
