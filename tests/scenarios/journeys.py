"""A journey with everything in it, and how to vary it, for the tests of the language."""

from __future__ import annotations

from typing import Any

from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import (
    BodyMatches,
    Capture,
    Captured,
    Feeder,
    Flow,
    HeaderContains,
    JsonEquals,
    JsonExists,
    Poll,
    Request,
    Step,
    Text,
    Uuid,
    Workload,
)

HERE = Target(name="here", url="http://127.0.0.1:1/base", target_class=TargetClass.REHEARSAL)
GUESTS = Feeder("guests.csv", order="shared")
ID = Captured("id")

SEARCH = Request(
    name="search", method="GET", path="/search", query={"email": GUESTS["email"]},
    checks=(JsonExists("/rooms/0"), BodyMatches("room-[0-9]+")), captures=(Capture.json("room", "/rooms/0/id"),),
)  # fmt: skip
BOOK = Request(
    name="book", method="POST", path="/bookings", headers={"X-Idempotency-Key": Uuid()}, expect=(202,), writes=True,
    json={"room": Captured("room"), "note": Text(("room ", Captured("room")))},
    captures=(Capture.header("id", "Location"), Capture.regex("price", "([0-9]+) EUR")),
)  # fmt: skip
SEEN = Request(name="seen", method="GET", path=Text(("/bookings/", ID)), expect=(200, 404))
PAY = Request(
    name="pay", method="POST", path=Text(("/bookings/", ID, "/payments")), expect=(201,), writes=True,
    json={"cents": Captured("price", bare=True)}, checks=(HeaderContains("Content-Type", "json"),),
)  # fmt: skip
UNTIL_SEEN = Poll(until=(JsonEquals("/status", "confirmed"),), every_s=0.1, give_up_s=5, once=(JsonEquals("/n", 1),))
STEPS = (Step(SEARCH), Step(BOOK, think_s=(1, 3)), Step(SEEN, poll=UNTIL_SEEN), Step(PAY))


def request(**changes: Any) -> Request:
    """A simple request."""
    return Request(**{"name": "a", "method": "GET", "path": "/", **changes})


def flow(*steps: Step, **changes: Any) -> Flow:
    """A flow of these steps (of the whole journey when there are none)."""
    asked = {"name": "booking", "steps": steps or STEPS, "weight": 0.4, **changes}
    if changes.get("rate_rps"):
        asked["weight"] = changes.get("weight")
    return Flow(**asked)


def workload(*flows: Flow, **changes: Any) -> Workload:
    """A workload of one single request and these flows."""
    return Workload(**{"name": "w", "requests": (request(name="home", weight=0.6),), "flows": flows, **changes})


def plan(asked: Workload, *, target: Target = HERE, duration_s: float = 100.0) -> Plan:
    """Ten requests a second of it."""
    phases = (Phase(name="hold", duration_s=duration_s, from_rps=10, to_rps=10),)
    return Plan(
        name="p", workload=asked, profile=Profile(phases=phases), target=target, objectives=(), rate_to_prove_rps=10
    )
