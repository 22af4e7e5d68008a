"""Tartware's traffic as its clients make it: one table of requests, three mixes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from scenarios.workload import (
    BodyAtMost,
    Choice,
    DateFromToday,
    Json,
    Login,
    RandomInt,
    Request,
    Sequence,
    Template,
    Text,
    Token,
    Uuid,
    Workload,
)

TENANT = Choice(("tenant-01", "tenant-02", "tenant-03", "tenant-04"))
PROPERTY = Choice(tuple(f"property-{number:03d}" for number in range(1, 51)))
RESERVATION = Text(("reservation-", RandomInt(at_least=1, at_most=500_000)))
GUEST = Text(("guest-", Sequence(), "@example.com"))
CHECK_IN = DateFromToday(at_least_days=1, at_most_days=60)
CHECK_OUT = DateFromToday(at_least_days=61, at_most_days=75)

COMMON: dict[str, Template] = {"Authorization": Text(("Bearer ", Token())), "Accept": "application/json"}
WRITE_HEADERS: dict[str, Template] = {"X-Idempotency-Key": Uuid(), "X-Request-ID": Uuid()}
SMALL = BodyAtMost(64_000)  # an answer that grows without end is a defect of its own


def _get(name: str, path: str, **query: Template) -> Request:
    return Request(name=name, weight=1, method="GET", path=path, query=query, checks=(SMALL,))


def _post(name: str, path: str, json: Json, *, expect: tuple[int, ...]) -> Request:
    return Request(
        name=name, weight=1, method="POST", path=path, headers=WRITE_HEADERS, json=json, expect=expect,
        checks=(SMALL,), writes=True,
    )  # fmt: skip


def _command(name: str, command: str, **payload: Json) -> Request:
    """A command is accepted with 202 and done later: what it did shows in the backlog."""
    path = f"/v1/commands/{command}/execute"
    return _post(name, path, {"tenant_id": TENANT, "payload": payload}, expect=(202,))


_STAY: dict[str, Template] = {"property_id": PROPERTY, "check_in": CHECK_IN, "check_out": CHECK_OUT}

_REQUESTS: dict[str, Request] = {
    request.name: request
    for request in (
        _get("availability", "/v1/availability", tenant_id=TENANT, **_STAY),
        _command(
            "create", "reservation.create", **_STAY, guest_email=GUEST, adults=RandomInt(at_least=1, at_most=4),
            room_type=Choice(("standard", "deluxe", "suite")),
        ),
        _command("modify", "reservation.modify", reservation_id=RESERVATION, **_STAY),
        _command("cancel", "reservation.cancel", reservation_id=RESERVATION, reason="changed plans"),
        _command(
            "ota-sync", "ota.sync", channel=Choice(("channel-a", "channel-b", "channel-c")), property_id=PROPERTY,
            rooms=RandomInt(at_least=0, at_most=40),
        ),
        _command("check-in", "reservation.check_in", reservation_id=RESERVATION),
        _command("check-out", "reservation.check_out", reservation_id=RESERVATION),
        _post(
            "payment", "/v1/billing/payments",
            {"tenant_id": TENANT, "reservation_id": RESERVATION, "currency": "EUR",
             "amount_cents": RandomInt(at_least=5_000, at_most=250_000)},
            expect=(200, 201),
        ),
        _get("reporting", "/v1/dashboard/stats", tenant_id=TENANT, property_id=PROPERTY),
    )
}  # fmt: skip


def _mix(name: str, shares: Mapping[str, float]) -> Workload:
    requests = tuple(_weighted(_REQUESTS[request], share) for request, share in shares.items())
    return Workload(name=name, requests=requests, headers=COMMON, login=_LOGIN)


def _weighted(request: Request, share: float) -> Request:
    return replace(request, weight=share)


_LOGIN = Login(
    method="POST",
    path="/v1/auth/login",
    json={"username": Text(("loadtest-", Sequence())), "password": "rehearsal"},
    token_pointer="/access_token",
    tokens=20,
)

_ORDER = ("availability", "create", "modify", "cancel", "ota-sync", "check-in", "check-out", "payment", "reporting")

OTA_HEAVY = _mix("ota-heavy", dict(zip(_ORDER, (0.42, 0.10, 0.07, 0.05, 0.14, 0.04, 0.04, 0.06, 0.08), strict=True)))
DIRECT_HEAVY = _mix(
    "direct-heavy", dict(zip(_ORDER, (0.38, 0.14, 0.08, 0.05, 0.08, 0.05, 0.05, 0.09, 0.08), strict=True))
)
ENTERPRISE_MIX = _mix(
    "enterprise-mix", dict(zip(_ORDER, (0.40, 0.10, 0.06, 0.04, 0.12, 0.05, 0.05, 0.08, 0.10), strict=True))
)
