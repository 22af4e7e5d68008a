"""A trial against a real server: what is sent is made by the engine, and what was wrong is told without secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtest.trial import Tried, try_plan
from scenarios.errors import PlanError, PreflightFailed
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import (
    BodyMatches,
    Capture,
    Captured,
    EnvSecret,
    Flow,
    JsonEquals,
    JsonExists,
    JsonLength,
    Login,
    Poll,
    Request,
    Step,
    Text,
    Token,
    Workload,
)
from tests.http_server import Answer, CountingServer, an_answer

TOKEN, PASSWORD = "t0k3n-of-the-login", "hunter2"


def shop(*, pending: int = 2, effects: int = 1, book: bytes | None = None) -> Answer:
    """Takes orders with 202; the order shows once it was asked for so often, with so many effects."""
    asked = 0

    async def answer(line: str, _number: int) -> bytes:
        nonlocal asked
        if "/login" in line:
            return an_answer(body=json.dumps({"token": TOKEN}).encode())
        if line.startswith("POST"):
            return book or an_answer(202, b'{"order": {"id": "a/b"}}', "X-Key: kept\r\n")
        if "/orders/a%2Fb" in line:
            asked += 1
            state = {"status": "done", "effects": [1] * effects} if asked > pending else {"status": "pending"}
            return an_answer(body=json.dumps(state).encode())
        if "/echo" in line:
            return an_answer(body=f'{{"you": "{TOKEN} {PASSWORD}"}}'.encode())
        return an_answer(404, b'{"error": "no such page"}')

    return answer


BUY = Request(
    name="buy", method="POST", path="/orders", json={"sku": "a"}, expect=(202,),
    captures=(Capture.json("id", "/order/id"), Capture.header("kept", "x-key")),
)  # fmt: skip
SHOWN = Request(name="shown", method="GET", path=Text(("/orders/", Captured("id"))), headers={"X-Of": Captured("kept")})
UNTIL = Poll(until=(JsonEquals("/status", "done"),), once=(JsonLength("/effects", 1),), every_s=0.01, give_up_s=0.3)
AFTER = Request(name="after", method="GET", path="/echo")
LOGIN = Login(method="POST", path="/login", json={"password": EnvSecret("SHOP_PASSWORD")}, token_pointer="/token")


def tried(answer: Answer, *steps: Step, **changes: Any) -> tuple[Tried, ...]:
    flow = Flow(name="order", weight=1, steps=steps or (Step(BUY), Step(SHOWN, poll=UNTIL), Step(AFTER)))
    with CountingServer(answer) as server:
        return try_plan(a_plan(Workload(**{"name": "w", "flows": (flow,), **changes}), server.url))


def a_plan(workload: Workload, url: str) -> Plan:
    return Plan(
        name="p",
        workload=workload,
        profile=Profile(phases=(Phase(name="hold", duration_s=10, from_rps=10, to_rps=10),)),
        target=Target(name="shop", url=url, target_class=TargetClass.REHEARSAL),
        objectives=(),
        rate_to_prove_rps=10,
    )


def test_a_journey_that_works_shows_what_was_captured_and_when_its_effect_was_seen() -> None:
    buy, shown, after = tried(shop())
    assert (buy.request, buy.status, buy.captured) == ("order/buy", 202, (("id", "a/b"), ("kept", "kept")))
    assert (shown.failure, shown.attempts) == ("", 3)
    assert shown.visible_us is not None
    assert shown.visible_us >= 20_000
    assert (after.status, after.failure, after.skipped) == (200, "", False)


def test_single_requests_are_tried_beside_flows() -> None:
    missing = Request(name="missing", method="GET", path="/nowhere")
    told, *journey = tried(shop(), requests=(missing,))
    assert (told.failure, told.seen) == ("status 404", '{"error": "no such page"}')
    assert all(not step.failure for step in journey)


@pytest.mark.parametrize(
    ("answer", "step", "failure", "seen"),
    [
        (shop(book=an_answer(500, b"sorry")), 0, "status 500", "sorry"),
        (shop(book=an_answer(302, b"", "Location: /x\r\n")), 0, "redirect", 'to "/x"'),
        (shop(book=an_answer(202, b"{}")), 0, "capture", "id: /order/id is not there"),
        (shop(book=an_answer(202, b'{"order": {"id": "a/b"}}')), 0, "capture", "kept: x-key is not there"),
        (shop(book=b"HTP/1.1 200\r\n\r\n"), 0, "malformed", ""),
        (shop(pending=1000), 1, "effect missing", '/status is "pending", not "done"'),
        (shop(effects=2), 1, "effect repeated", "/effects has 2, not 1 entries"),
    ],
)
def test_what_is_wrong_is_told_at_its_step_and_ends_the_journey(
    answer: Answer, step: int, failure: str, seen: str
) -> None:
    outcomes = tried(answer)
    assert (outcomes[step].failure, outcomes[step].seen) == (failure, seen)
    assert [one.skipped for one in outcomes] == [place > step for place in range(3)]


@pytest.mark.parametrize(
    ("said", "kind"), [(b"", "timeout wait"), (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "timeout body")]
)
def test_silence_is_told_from_an_answer_that_stands_still(said: bytes, kind: str) -> None:
    async def answer(_line: str, _number: int) -> bytes:
        return said

    (outcome,) = tried(answer, Step(replace(AFTER, timeout_s=0.3)))
    assert outcome.failure == kind


@pytest.mark.parametrize(
    ("check", "seen"),
    [
        (JsonExists("/us"), "there is nothing at /us: "),
        (JsonEquals("/you", "me"), "/you is "),
        (BodyMatches("[0-9]{20}"), 'nothing matches "[0-9]{20}": '),
    ],
)
def test_neither_token_nor_password_is_shown(
    check: JsonExists | JsonEquals | BodyMatches, seen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    echo = replace(AFTER, headers={"Authorization": Text(("Bearer ", Token()))}, checks=(check,))
    (told,) = tried(shop(), Step(echo), login=LOGIN)
    assert told.failure == "check"
    assert told.seen.startswith(seen)
    assert "(hidden) (hidden)" in told.seen


def test_what_is_captured_as_a_secret_is_used_and_not_shown() -> None:
    capture = replace(BUY, captures=(Capture.json("token", "/order/id"),))
    using = Request(name="use", method="GET", path=Text(("/orders/", Captured("token"))))
    first, second = tried(shop(), Step(capture), Step(using))
    assert first.captured == (("token", "(not shown, 3 characters)"),)
    assert second.status == 200


def test_a_second_late_effect_is_found() -> None:
    calls = 0

    async def answer(line: str, _number: int) -> bytes:
        nonlocal calls
        calls += line.startswith("GET")
        return an_answer(body=json.dumps({"effects": [1] * calls}).encode())

    settling = Poll(until=(JsonExists("/effects/0"),), once=(JsonLength("/effects", 1),), settle_s=0.05)
    first = Request(name="first", method="POST", path="/")
    _, seen = tried(answer, Step(first), Step(Request(name="seen", method="GET", path="/"), poll=settling))
    assert seen.failure == "effect repeated"


def test_a_target_that_is_down_or_refuses_the_login_is_told_before_any_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    single = Workload(name="w", requests=(AFTER,))
    with pytest.raises(PreflightFailed, match="shop cannot be used: connection refused"):
        try_plan(a_plan(single, "http://127.0.0.1:9"))

    async def refusing(_line: str, _number: int) -> bytes:
        return an_answer(401, PASSWORD.encode())

    with (
        CountingServer(refusing) as server,
        pytest.raises(PreflightFailed, match="the login at /login failed: status 401") as told,
    ):
        try_plan(a_plan(replace(single, login=LOGIN), server.url))
    assert PASSWORD not in str(told.value)


def test_a_regular_expression_that_cannot_be_is_a_mistake_of_the_plan() -> None:
    with pytest.raises(PlanError, match=r"engine refuses.*regular expression"):
        tried(shop(), requests=(replace(AFTER, checks=(BodyMatches("(?=a)"),)),))
