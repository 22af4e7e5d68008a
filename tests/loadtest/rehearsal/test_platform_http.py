"""The rehearsal platform as an HTTP server: what clients may do, should not do, and do all the same."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenarios.workloads.tartware import DIRECT_HEAVY, ENTERPRISE_MIX, OTA_HEAVY
from tests.loadtest.rehearsal.running_platform import (
    BIG,
    COMMAND,
    PAY,
    READ,
    Platform,
    read_answer,
    rehearsal,
    request_bytes,
    running,
    small_config,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(small_config(), tmp_path_factory.mktemp("platform")) as platform:
        yield platform


def test_a_login_opens_what_is_shut(platform: Platform) -> None:
    assert platform.ask("GET", READ)[0] == 401
    assert platform.ask("GET", READ, Authorization="Bearer guessed")[0] == 401
    status, body = platform.ask("GET", READ, Authorization=f"Bearer {platform.token()}")
    assert (status, len(body)) == (200, 100)


def test_a_token_is_good_for_as_long_as_its_login_said(tmp_path: Path) -> None:
    config = rehearsal("small")
    config["login"]["token_lasts_s"] = 1
    with running(config, tmp_path) as platform:
        told = json.loads(platform.ask("POST", "/v1/auth/login", body="{}")[1])
        named = {"Authorization": f"Bearer {told['access_token']}"}
        assert told["expires_in"] == 1
        until_s = time.monotonic() + 3
        while platform.ask("GET", "/v1/rooms", **named)[0] == 200:
            assert time.monotonic() < until_s
        assert platform.ask("GET", "/v1/rooms", **named)[0] == 401


def test_health_is_open_to_everyone(platform: Platform) -> None:
    assert platform.ask("GET", "/health?probe=1")[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/nowhere", "", {}, 404),
        ("DELETE", READ, "", {}, 405),
        ("POST", COMMAND, "{}", {}, 400),
        ("POST", COMMAND, "", {"X_Idempotency_Key": "a"}, 400),
        ("POST", COMMAND, '{"cut', {"X_Idempotency_Key": "a"}, 400),
        ("POST", COMMAND, '{"tenant_id": "t"}', {"X_Idempotency_Key": "a"}, 202),
        ("POST", PAY, '{"tenant_id": "t"}', {"X_Idempotency_Key": "a"}, 201),
        ("POST", COMMAND, "x" * 1_100_000, {"X_Idempotency_Key": "a"}, 413),
        ("GET", READ, "", {"X_Long": "x" * 20_000}, 431),
    ],
)
def test_each_request_gets_the_status_it_deserves(
    platform: Platform, method: str, path: str, body: str, headers: dict[str, str], status: int
) -> None:
    named = headers | {"Authorization": f"Bearer {platform.token()}"}
    try:
        assert platform.ask(method, path, body=body, **named)[0] == status
    except (BrokenPipeError, ConnectionResetError):
        assert status == 413  # the platform had said so and closed before all of it was sent


def test_the_three_mixes_find_every_route_they_ask_for(tmp_path: Path) -> None:
    routes = {(route["method"], route["path"]): route for route in rehearsal("tartware")["routes"]}
    for workload in (OTA_HEAVY, DIRECT_HEAVY, ENTERPRISE_MIX):
        for request in workload.requests:
            route = routes[request.method, str(request.path)]
            assert route.get("status", 200) in request.expect
            assert set(route.get("needs", ())) <= set(request.headers)


@pytest.mark.parametrize("name", ["small", "tartware"])
def test_the_configurations_that_are_shipped_run(name: str, tmp_path: Path) -> None:
    with running(rehearsal(name), tmp_path) as platform:
        assert platform.ask("GET", "/health")[0] == 200
        state = platform.admin.state()
        assert all(service["ready"] == service["desired"] for service in state["services"])


def test_a_reservation_can_be_asked_after_by_the_name_its_answer_gave(tmp_path: Path) -> None:
    create = "/v1/commands/reservation.create/execute"
    with running(rehearsal("small"), tmp_path) as platform:
        token = json.loads(platform.ask("POST", "/v1/auth/login", body="{}")[1])["access_token"]
        named = {"Authorization": f"Bearer {token}", "X_Idempotency_Key": "booking-1"}
        first, again = (json.loads(platform.ask("POST", create, body="{}", **named)[1]) for _ in range(2))
        assert first == again
        shown = f"/v1/reservations/{first['id']}"
        until_s = time.monotonic() + 5
        while (seen := json.loads(platform.ask("GET", shown, **named)[1]))["status"] == "pending":
            assert time.monotonic() < until_s
        assert seen == {"id": first["id"], "status": "done", "effects": 1}
        assert platform.ask("GET", "/v1/reservations/0000000000000000", **named)[0] == 404
        offers = json.loads(platform.ask("GET", "/v1/availability", **named)[1])["offers"]
        assert offers[0]["room_type"] == "deluxe"


def test_requests_sent_ahead_are_answered_in_order(platform: Platform) -> None:
    token = platform.token()
    with platform.dial() as wire:
        wire.sendall(request_bytes("/health", token) + request_bytes(READ, token) + request_bytes("/nowhere", token))
        answers = [read_answer(wire) for _ in range(3)]
    assert [(status, len(body)) for status, _, body in answers] == [(200, 200), (200, 100), (404, 21)]


def test_a_request_in_single_bytes_is_answered(platform: Platform) -> None:
    with platform.dial() as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes(READ, platform.token()):
            wire.sendall(bytes([byte]))
        assert read_answer(wire)[0] == 200


def test_a_body_in_chunks_is_read(platform: Platform) -> None:
    head = (
        f"POST {COMMAND} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {platform.token()}\r\n"
        "X-Idempotency-Key: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with platform.dial() as wire:
        wire.sendall(head.encode() + b'2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n')
        assert read_answer(wire)[0] == 202


def test_a_client_that_asks_first_is_told_to_go_on(platform: Platform) -> None:
    head = (
        f"POST {COMMAND} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {platform.token()}\r\n"
        "X-Idempotency-Key: asked\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    with platform.dial() as wire:
        wire.sendall(head.encode())
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"{}")
        assert read_answer(wire)[0] == 202


def test_http_1_0_is_answered_and_closed(platform: Platform) -> None:
    with platform.dial() as wire:
        wire.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        status, headers, _ = read_answer(wire)
        assert (status, headers["connection"], wire.recv(1)) == (200, "close", b"")


def test_a_client_that_closed_its_half_gets_its_answer(platform: Platform) -> None:
    token = platform.token()
    with platform.dial() as wire:
        platform.admin.freeze(0.2)  # so that the request and its end are seen at once
        wire.sendall(request_bytes(READ, token))
        wire.shutdown(socket.SHUT_WR)
        assert read_answer(wire)[0] == 200
        assert wire.recv(1) == b""


def test_nonsense_is_answered_400_and_closed(platform: Platform) -> None:
    with platform.dial() as wire:
        wire.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        status, headers, _ = read_answer(wire)
        assert (status, headers["connection"], wire.recv(1)) == (400, "close", b"")


def test_a_connection_is_closed_after_so_many_answers(platform: Platform) -> None:
    token = platform.token()
    with platform.dial() as wire:
        for number in range(1, 101):
            wire.sendall(request_bytes("/health", token))
            closes = read_answer(wire)[1].get("connection")
            assert closes == ("close" if number == 100 else None)
        assert wire.recv(1) == b""


def test_a_large_answer_reaches_a_slow_reader_whole(platform: Platform) -> None:
    token = platform.token()
    with platform.dial() as wire:
        wire.sendall(request_bytes(BIG, token) + request_bytes("/health", token))
        assert len(read_answer(wire)[2]) == 30_000_000
        assert read_answer(wire)[0] == 200


def test_clients_that_vanish_harm_nobody(platform: Platform) -> None:
    token = platform.token()
    for sent in (b"", b"GET /re", request_bytes(READ, token), request_bytes(BIG, token)):
        with platform.dial() as wire:
            wire.sendall(sent)
    assert platform.ask("GET", "/health")[0] == 200


def test_beyond_the_limit_of_open_connections_one_waits_for_another_to_close(tmp_path: Path) -> None:
    limited = small_config(connections={"pinned": True, "requests_at_most": 100, "open_at_most": 2})
    with running(limited, tmp_path) as platform:
        first, second, third = platform.dial(), platform.dial(), platform.dial()
        with first, second, third:
            for wire in (first, second, third):
                wire.sendall(request_bytes("/health", ""))
            assert read_answer(first)[0] == read_answer(second)[0] == 200
            third.settimeout(0.3)
            with pytest.raises(TimeoutError):
                third.recv(1)
            first.close()
            third.settimeout(10)
            assert read_answer(third)[0] == 200


def test_a_password_is_asked_for_when_one_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHEARSAL_PASSWORD", "sesame")
    login = {"path": "/login", "username": "loadtest", "password_env": "REHEARSAL_PASSWORD"}
    with running(small_config(login=login), tmp_path) as platform:
        assert platform.ask("POST", "/login", body='{"username": "loadtest", "password": "no"}')[0] == 401
        assert platform.ask("POST", "/login", body='{"username": "loadtest", "password": "sesame"}')[0] == 200
