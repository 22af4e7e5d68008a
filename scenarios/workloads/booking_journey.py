"""A guest's way through Tartware: search, book, wait until that shows, pay, check in; others only look around."""

from __future__ import annotations

from scenarios.workload import (
    Capture,
    Captured,
    DateFromToday,
    Flow,
    JsonEquals,
    Login,
    Poll,
    Refresh,
    Request,
    Sequence,
    Step,
    Template,
    Text,
    Token,
    Uuid,
    Workload,
)

RESERVATION = Captured("reservation")
STAY: dict[str, Template] = {
    "check_in": DateFromToday(at_least_days=1, at_most_days=60),
    "check_out": DateFromToday(at_least_days=61, at_most_days=75),
}
ONCE: dict[str, Template] = {"X-Idempotency-Key": Uuid(), "X-Request-ID": Uuid()}

SEARCH = Request(
    name="search",
    method="GET",
    path="/v1/availability",
    query={"tenant_id": "tenant-01", "property_id": "property-007", **STAY},
    captures=(Capture.json("offer", "/offers/0/offer_id"), Capture.json("price", "/offers/0/cents")),
)
BOOK = Request(
    name="book",
    method="POST",
    path="/v1/commands/reservation.create/execute",
    headers=ONCE,
    json={
        "tenant_id": "tenant-01",
        "payload": {"offer_id": Captured("offer"), "guest_email": Text(("guest-", Sequence(), "@example.com")), **STAY},
    },
    expect=(202,),  # accepted, not yet done
    captures=(Capture.json("reservation", "/id"),),
    writes=True,
)
CONFIRMED = Request(name="confirmed", method="GET", path=Text(("/v1/reservations/", RESERVATION)))
PAY = Request(
    name="pay",
    method="POST",
    path="/v1/billing/payments",
    headers=ONCE,
    json={
        "tenant_id": "tenant-01",
        "reservation_id": RESERVATION,
        "currency": "EUR",
        "amount_cents": Captured("price", bare=True),
    },
    expect=(200, 201),
    writes=True,
)
CHECK_IN = Request(
    name="check-in",
    method="POST",
    path="/v1/commands/reservation.check_in/execute",
    headers=ONCE,
    json={"tenant_id": "tenant-01", "payload": {"reservation_id": RESERVATION}},
    expect=(202,),
    writes=True,
)

BOOKING = Flow(
    name="booking",
    weight=0.5,
    steps=(
        Step(SEARCH),
        Step(BOOK, think_s=(0.5, 1.5)),
        Step(
            CONFIRMED,
            poll=Poll(
                until=(JsonEquals("/status", "done"),),
                once=(JsonEquals("/effects", 1),),  # carried out exactly once
                every_s=0.1,
                give_up_s=10,
            ),
        ),
        Step(PAY, think_s=(0.5, 1.5)),
        Step(CHECK_IN, think_s=(0.2, 0.5)),
    ),
)
LOOK_AROUND = Request(
    name="look-around",
    weight=0.5,
    method="GET",
    path="/v1/availability",
    query={"tenant_id": "tenant-02", "property_id": "property-001", **STAY},
)

BOOKING_JOURNEY = Workload(
    name="booking-journey",
    headers={"Authorization": Text(("Bearer ", Token())), "Accept": "application/json"},
    login=Login(
        method="POST",
        path="/v1/auth/login",
        json={"username": Text(("loadtest-", Sequence())), "password": "rehearsal"},
        token_pointer="/access_token",
        tokens=20,
        refresh=Refresh(expires_pointer="/expires_in", before_s=60),
    ),
    requests=(LOOK_AROUND,),
    flows=(BOOKING,),
)
