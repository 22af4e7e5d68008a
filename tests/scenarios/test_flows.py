"""A flow says what the engine is given, and every mistake in one is told before any load."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtest import _engine
from scenarios.answers import Check
from scenarios.engine_plan import Table, engine_plan, rate_line
from scenarios.errors import PlanError
from scenarios.plan_check import check_plan, expected_writes, with_canary
from scenarios.plan_json import plan_from_json, plan_to_json
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass, WriteConsent
from scenarios.values import Column
from scenarios.workload import (
    BodyMatches,
    Capture,
    Captured,
    EnvSecret,
    Feeder,
    Flow,
    Json,
    JsonEquals,
    JsonExists,
    JsonLength,
    Link,
    Login,
    Poll,
    Refresh,
    Request,
    StatusIn,
    Step,
    Text,
    Workload,
)
from tests.scenarios.journeys import BOOK, GUESTS, PAY, SEARCH, SEEN, STEPS, flow, plan, request, workload

CSRF = Capture.json("csrf", "/t")
LOGIN = Login(method="POST", path="/login", json={"user": "me"}, token_pointer="/t")


def compiled(asked: Workload) -> dict[str, Any]:
    table = Table(columns=("email",), rows=(("a@b",),), order="shared")
    return engine_plan(plan(asked), run_date="2026-11-24", tables={"guests.csv": table}, secrets={})


def refusal(asked: Workload) -> str:
    with pytest.raises(PlanError) as told:
        check_plan(plan(asked))
    assert told.value.remedy
    return str(told.value)


# --- what the engine is given ------------------------------------------------------------------


def test_steps_stand_behind_the_single_requests_under_their_flows_name() -> None:
    check_plan(plan(workload(flow())))
    given_ = compiled(workload(flow()))
    names = [(one["name"], one["weight"]) for one in given_["requests"]]
    assert names == [("home", 0.6), ("booking/search", 0), ("booking/book", 0), ("booking/seen", 0), ("booking/pay", 0)]
    (booking,) = given_["flows"]
    assert [step["request"] for step in booking["steps"]] == [1, 2, 3, 4]
    assert booking["steps"][1]["think_us"] == [1_000_000, 3_000_000]
    assert (booking["weight"], booking["rate_rps"], booking["cookies"]) == (0.4, None, False)


def test_a_flow_may_have_a_rate_of_its_own() -> None:
    (booking,) = compiled(workload(flow(rate_rps=5.0, cookies=True)))["flows"]
    assert (booking["weight"], booking["rate_rps"], booking["cookies"]) == (0.0, 5.0, True)


def test_captures_checks_and_polls_are_kept() -> None:
    _, search, book, seen, pay = compiled(workload(flow()))["requests"]
    assert search["captures"] == [{"name": "room", "from": {"json": "/rooms/0/id"}}]
    assert search["checks"] == [{"json_exists": "/rooms/0"}, {"body_regex": "room-[0-9]+"}]
    assert book["captures"] == [
        {"name": "id", "from": {"header": "Location"}},
        {"name": "price", "from": {"regex": "([0-9]+) EUR"}},
    ]
    assert book["body"] == ['{"room":"', {"captured": "room"}, '","note":"room ', {"captured": "room"}, '"}']
    assert seen["path"] == ["/bookings/", {"captured": "id"}]
    assert seen["poll"] == {
        "until": [{"json_equals": ["/status", "confirmed"]}],
        "every_us": 100_000,
        "give_up_us": 5_000_000,
        "once": [{"json_equals": ["/n", 1]}],
    }
    assert pay["body"] == ['{"cents":', {"captured": "price"}, "}"]
    assert pay["checks"] == [{"header_contains": ["Content-Type", "json"]}]


def test_a_link_is_captured_before_it_is_followed() -> None:
    led = one(name="a", captures=(Capture.header("to", "Location"),))
    asked = workload(flow(led, one(name="b", path=Link("to"))))
    check_plan(plan(asked))
    assert compiled(asked)["requests"][2]["path"] == [{"link": "to"}]
    _engine.validate_plan(json.dumps(compiled(asked)))
    assert "uses 'to', which no step before it captures" in refusal(workload(flow(one(path=Link("to")))))


def test_a_column_of_whole_paths_is_one_piece() -> None:
    asked = workload(requests=(request(path=GUESTS.path("email")),))
    check_plan(plan(asked))
    assert compiled(asked)["requests"][0]["path"] == [{"csv_path": ["guests.csv", "email"]}]


def test_a_poll_may_settle_and_look_at_statuses_and_lengths() -> None:
    settling = Poll(until=(StatusIn((200,)), JsonLength("/all", 1)), once=(JsonLength("/all", 1),), settle_s=2)
    seen = compiled(workload(flow(Step(request()), Step(request(name="b"), poll=settling))))["requests"][2]
    assert seen["poll"]["until"] == [{"status": (200,)}, {"json_length": ["/all", 1]}]
    assert seen["poll"]["settle_us"] == 2_000_000


def test_a_workload_without_flows_compiles_as_before() -> None:
    plain = compiled(Workload(name="w", requests=(request(),)))
    assert "flows" not in plain
    assert not {"captures", "poll"} & plain["requests"][0].keys()


def test_tables_and_tokens_say_how_they_are_dealt_and_renewed() -> None:
    renewed = replace(LOGIN, refresh=Refresh(before_s=30, expires_pointer="/expires_in"))
    given_ = compiled(workload(flow(), login=renewed))
    assert given_["tables"] == [
        {"name": "guests.csv", "columns": ["email"], "rows": [["a@b"]], "order": "shared"},
    ]
    assert given_["login"]["refresh"] == {
        "before_us": 30_000_000, "expires_pointer": "/expires_in", "every_us": None,
    }  # fmt: skip


def test_a_secret_in_a_request_is_refused_although_the_login_holds_it_too() -> None:
    asked = workload(login=replace(LOGIN, json={"password": EnvSecret("PW")}))
    leaking = replace(asked, requests=(request(json={"password": EnvSecret("PW")}),))
    with pytest.raises(PlanError, match="PW stands outside a login"):
        engine_plan(plan(leaking), run_date="2026-11-24", tables={}, secrets={"PW": "x"})


def test_a_plan_with_flows_survives_its_record() -> None:
    renewed = replace(LOGIN, refresh=Refresh(every_s=600))
    asked = plan(workload(flow(cookies=True), login=renewed))
    assert plan_from_json(json.loads(json.dumps(plan_to_json(asked)))) == asked


def test_a_record_from_before_flows_is_read_as_it_was_meant() -> None:
    asked = plan(Workload(name="w", requests=(request(path=Column("a.csv", "id")),)))
    old = json.loads(json.dumps(plan_to_json(asked)))
    told = old["plan"]["workload"]
    del told["flows"]
    del told["requests"]["items"][0]["captures"]
    column = told["requests"]["items"][0]["path"]
    column["$"] = "CsvColumn"
    del column["order"]
    assert plan_from_json(old) == asked


texts = st.text(min_size=1, max_size=8)
names = st.text(alphabet="abcdefghij", min_size=1, max_size=6)


@given(st.lists(names, min_size=1, max_size=6, unique=True), st.data())
def test_a_chain_of_captures_is_accepted_in_its_order_and_refused_out_of_it(
    chain: list[str], draw: st.DataObject
) -> None:
    steps = [
        Step(
            request(
                name=f"step-{place}",
                path=Text(("/", *([Captured(chain[place - 1])] if place else []))),
                captures=(Capture.json(name, "/" + name),),
            )
        )
        for place, name in enumerate(chain)
    ]
    end = Step(request(name="end", path=Text(("/", Captured(chain[-1])))))
    check_plan(plan(workload(flow(*steps, end))))
    lost = draw.draw(st.integers(0, len(steps) - 1))
    without = [*steps[:lost], *steps[lost + 1 :], end]
    assert f"uses {chain[lost]!r}, which no step before it captures" in refusal(workload(flow(*without)))


@given(texts, texts, st.booleans())
def test_a_captured_value_in_a_body_keeps_it_json(before: str, after: str, bare: bool) -> None:
    tree: Json = {"in": Text((before, Captured("id"), after)), "alone": Captured("id", bare=bare)}
    taking = replace(PAY, json=tree, path="/")
    body = compiled(workload(flow(Step(taking))))["requests"][1]["body"]
    written = "".join(piece if isinstance(piece, str) else "7" for piece in body)
    assert json.loads(written) == {"in": f"{before}7{after}", "alone": 7 if bare else "7"}


# --- what is refused ---------------------------------------------------------------------------


def one(**changes: Any) -> Step:
    return Step(request(**changes))


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (workload(flow(one(path=Captured("room")))), "flow 'booking', step 'a': uses 'room', which no step before it"),
        (workload(flow(Step(SEARCH), one(path=Captured("rom")))), "Did you mean 'room'?"),
        (workload(flow(Step(BOOK), Step(SEARCH))), "captured only then, by 'search': change the order"),
        (workload(flow(Step(SEARCH))), "captures 'room', which is not used by any later step: use it, or check it"),
        (
            workload(flow(one(captures=(CSRF,)), one(name="b", captures=(CSRF,)))),
            "step 'a': captures 'csrf', which is not used before 'b' captures it again",
        ),
        (workload(flow(one(captures=(Capture.json("t", "/t"), Capture.json("t", "/u"))))), "two captures are called"),
        (workload(flow(one(captures=(Capture.json("a-b", "/t"),)))), "under the name 'a-b'; take letters"),
        (workload(flow(one(captures=(Capture.json("t", "$.a.b"),)))), "'$.a.b' is no JSON pointer; write '/a/b'"),
        (workload(flow(one(captures=(Capture.regex("t", ""),)))), "capture 't' names no regex"),
        (workload(flow(one(checks=(JsonExists("id"),)))), "'id' is no JSON pointer; write '/id'"),
        (workload(flow(one(weight=3))), "weight 3 means nothing in a flow: give the flow its weight"),
        (workload(flow(Step(request(), think_s=(3, 1)))), "think_s (3, 1) is not least and most"),
        (workload(flow(Step(request(), think_s=(1, 3)))), "its first step thinks, but it is due when"),
        (workload(flow(one(checks=(JsonExists("/a~b"),)))), "in the JSON pointer '/a~b' a ~ of a name is written ~0"),
        (workload(flow(one(), one())), "flow 'booking': two steps are called 'a'"),
        (workload(flow(), flow()), "two flows of 'w' are called 'booking'"),
        (workload(flow(name="a/b")), "its name must be printable, without a comma, '!' or '/'"),
        (workload(flow(steps=())), "flow 'booking' has no step"),
        (workload(flow(weight=None)), "has neither weight nor rate_rps"),
        (workload(flow(weight=1, rate_rps=1)), "has both weight and rate_rps"),
        (workload(flow(rate_rps=-1)), "rate_rps -1 is not above 0"),
        (workload(requests=(request(path=Captured("x")),)), "request 'a': takes 'x' from an earlier answer, but is no"),
        (workload(requests=(request(captures=(Capture.json("x", "/x"),)),)), "captures 'x', but is no step of a flow"),
        (workload(flow(), requests=(request(name="booking/pay"),)), "is called like a step of flow 'booking'"),
        (workload(flow(Step(request(), poll=Poll(until=())))), "polls until nothing"),
        (workload(flow(one(), Step(SEEN, poll=Poll(until=(JsonExists("/a"),), every_s=9, give_up_s=3)))), "every 9 s"),
        (workload(flow(Step(request(), poll=Poll(until=(JsonExists("/a"),))))), "its first step polls"),
        (workload(flow(one(), Step(SEEN, poll=Poll(until=(JsonExists("/a"),), settle_s=2)))), "no `once` to look at"),
        (workload(flow(one(), Step(request(name="b"), poll=Poll(until=(JsonEquals("a", 1),))))), "write '/a'"),
        (
            workload(flow(Step(SEARCH), one(path=Captured("room"), query={"e": Column("guests.csv", "email")}))),
            "guests.csv is fed in two orders, random and shared",
        ),
        (
            workload(flow(one(), *(Step(request(name=name), think_s=(60, 90)) for name in "bc"))),
            "thinks for 120 s at least; the load lasts 100 s",
        ),
        (workload(login=replace(LOGIN, refresh=Refresh())), "needs either every_s or expires_pointer"),
        (workload(login=replace(LOGIN, refresh=Refresh(expires_pointer="exp"))), "'exp' is no JSON pointer"),
        (workload(login=replace(LOGIN, refresh=Refresh(every_s=0.1))), "every_s 0.1 is not at least 1"),
        (workload(login=replace(LOGIN, json={"user": Captured("x")})), "the login takes a captured value or a column"),
        (Workload(name="w"), "workload 'w' has no request"),
        (workload(flow(rate_rps=5.0), requests=()), "all flows have rates of their own, beside the plan's, of which"),
    ],
)  # fmt: skip
def test_every_mistake_is_told_with_its_place(asked: Workload, told: str) -> None:
    assert told in refusal(asked)


def test_all_mistakes_are_told_at_once() -> None:
    said = refusal(workload(flow(Step(BOOK), weight=None), requests=(request(weight=0),)))
    assert all(part in said for part in ("neither weight", "uses 'room'", "captures 'id'", "weight 0 is not above 0"))


@given(st.sampled_from([field.name for field in fields(Request)]), st.integers(0, 3))
def test_a_capture_used_anywhere_in_a_step_counts_as_used(where: str, place: int) -> None:
    value = Captured("room")
    using: dict[str, Any] = {
        "path": Text(("/", value)), "query": {"q": value}, "headers": {"h": Text(("a", value))},
        "json": {"deep": [{"er": value}]},
    }  # fmt: skip
    later = list(using)[place] if where not in using else where
    check_plan(plan(workload(flow(Step(SEARCH), Step(request(**{later: using[later]}))))))


def test_a_feeders_column_says_its_order() -> None:
    assert GUESTS["email"] == Column("guests.csv", "email", "shared")
    assert Feeder("guests.csv")["email"] == Column("guests.csv", "email")


# --- what is written ---------------------------------------------------------------------------


def test_the_writes_of_a_flow_are_expected_by_its_share_and_its_rate() -> None:
    # 1,000 requests in all: 400 of the flow, in four steps alike, two of which write.
    assert expected_writes(plan(workload(flow()))) == 200
    beside = plan(workload(flow(rate_rps=5.0)))
    assert expected_writes(beside) == 5 * 100 * 2
    # A canary's minute has a hundredth of it, and a phase of rate 0 none.
    finish = Phase(name="finish", duration_s=50, from_rps=0, to_rps=0, judged=False)
    careful = with_canary(Profile(phases=(*beside.profile.phases, finish)))
    assert expected_writes(replace(beside, profile=careful)) == 5 * (100 + 0.6) * 2
    first, *others = rate_line(careful.phases)
    assert first["beside_share"] == 0.01
    assert not any("beside_share" in one for one in others)


def test_the_writes_of_a_flow_need_the_targets_consent_by_name() -> None:
    def staging(*agreed: str) -> Target:
        return Target(
            name="s", url="http://127.0.0.1:1", target_class=TargetClass.STAGING,
            writes=WriteConsent(requests=agreed, at_most=1000),
        )  # fmt: skip

    with pytest.raises(PlanError, match=r"not agreed to the writes booking/book, booking/pay"):
        check_plan(plan(workload(flow()), target=staging()))
    check_plan(plan(workload(flow()), target=staging("booking/book", "booking/pay")))
    assert len(STEPS) == 4


# --- Python's checks and the engine's agree ------------------------------------------------------

identifiers = st.sampled_from(["id", "room", "price"])
right_checks: list[Check] = [
    JsonExists("/id"),
    JsonEquals("/n", 1),
    JsonLength("/all", 1),
    StatusIn((200,)),
    BodyMatches("a+"),
]
few_checks = st.lists(st.sampled_from([*right_checks, JsonExists("id")]), max_size=2).map(tuple)
captures = st.one_of(
    st.builds(Capture.json, identifiers, st.sampled_from(["/id", "id", ""])),
    st.builds(Capture.header, identifiers, st.sampled_from(["Location", ""])),
    st.builds(Capture.regex, identifiers, st.sampled_from(["id=([0-9]+)", ""])),
)
requests_ = st.builds(
    Request,
    name=st.sampled_from(["a", "b", "c", "d", "e/f", ""]),
    method=st.sampled_from(["GET", "POST"]),
    path=st.one_of(st.just("/"), st.builds(lambda name: Text(("/", Captured(name))), identifiers)),
    weight=st.sampled_from([1.0, 1.0, 1.0, 2.0]),
    json=st.one_of(st.none(), st.builds(Captured, identifiers, st.booleans())),
    checks=few_checks,
    captures=st.lists(captures, max_size=2).map(tuple),
)
polls = st.builds(
    Poll,
    until=few_checks,
    once=few_checks,
    every_s=st.sampled_from([0.0, 0.1, 2.0]),
    give_up_s=st.sampled_from([1.0, 1000.0]),
    settle_s=st.sampled_from([0.0, 1.0]),
)
steps_ = st.builds(
    Step, requests_, think_s=st.sampled_from([(0, 0), (1, 2), (2, 1), (9, 9e9)]), poll=st.one_of(st.none(), polls)
)
flows_ = st.builds(
    Flow,
    name=st.sampled_from(["f", "g", "g/h"]),
    steps=st.lists(steps_, max_size=4).map(tuple),
    weight=st.sampled_from([None, 0.5, 1.0, 0.0]),
    rate_rps=st.sampled_from([None, None, 5.0, -1.0]),
    cookies=st.booleans(),
)


@given(st.lists(requests_, max_size=2).map(tuple), st.lists(flows_, min_size=1, max_size=2).map(tuple))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_flow_is_made_of_only_a_told_error_comes_out(
    single: tuple[Request, ...], flows: tuple[Flow, ...]
) -> None:
    asked = Workload(name="w", requests=single, flows=flows)
    try:
        check_plan(plan(asked))
    except PlanError:
        return  # told; anything else would fail
    _engine.validate_plan(json.dumps(compiled(asked)))


@st.composite
def right_flows(draw: st.DrawFn) -> Flow:
    """A flow without a mistake: each step may use what the one before captured, and captures for the next."""
    steps: list[Step] = []
    last = draw(st.integers(0, 4))
    for place in range(last + 1):
        captured = () if place == last else (Capture.json(f"id_{place}", "/id"),)
        taken = Text(("/", Captured(f"id_{place - 1}"), "/x")) if place else "/"
        checks = tuple(draw(st.lists(st.sampled_from(right_checks), max_size=2)))
        polled = Poll(until=(draw(st.sampled_from(right_checks)),), once=checks, settle_s=1.0 if checks else 0.0)
        poll = polled if place and draw(st.booleans()) else None
        asked = request(name=f"step-{place}", path=taken, checks=checks, captures=captured)
        steps.append(Step(asked, think_s=(0, draw(st.integers(0, 5)) if place else 0), poll=poll))
    own = draw(st.booleans())
    return flow(
        *steps, weight=None if own else draw(st.floats(0.01, 10)), rate_rps=draw(st.floats(0.1, 50)) if own else None,
        cookies=draw(st.booleans()),
    )  # fmt: skip


@given(right_flows(), st.booleans())
def test_whatever_passes_here_the_engine_takes(journey: Flow, alone: bool) -> None:
    asked = workload(journey, requests=()) if alone and journey.weight else workload(journey)
    check_plan(plan(asked))
    text = json.dumps(compiled(asked))
    _engine.validate_plan(text)
    due = _engine.due_counts(text)
    assert all(len(second) == len(asked.kinds) for second in due)
    followers = range(len(asked.kinds) - len(asked.followers), len(asked.kinds))
    assert not any(second[place] for second in due for place in followers)  # by the answers, not by the plan
