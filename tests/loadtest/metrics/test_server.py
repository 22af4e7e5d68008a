"""The metrics server: one path, one page, bounded patience."""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from loadtest.cluster.master_pod import metrics_address
from loadtest.metrics.server import MOST_AT_ONCE, serve


def page(accept: str) -> tuple[str, bytes]:
    return "text/plain", f"asked for {accept or 'anything'}\n".encode()


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    server = serve(page, "127.0.0.1:0")
    yield server.server_address[0], server.server_address[1]  # type: ignore[misc]
    server.shutdown()
    server.server_close()


def got(address: tuple[str, int], path: str, **headers: str) -> bytes:
    request = urllib.request.Request(f"http://{address[0]}:{address[1]}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


def test_the_page_is_told_what_the_caller_understands(address: tuple[str, int]) -> None:
    assert got(address, "/metrics", Accept="x/y") == b"asked for x/y\n"
    assert got(address, "/metrics?name=x") == b"asked for anything\n"


def test_there_is_nothing_else(address: tuple[str, int]) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        got(address, "/")
    refused.value.close()


def test_in_a_pod_it_listens_on_every_address_of_both_families() -> None:
    assert metrics_address("") == ""
    server = serve(page, metrics_address("0"))
    port = server.server_address[1]
    try:
        assert got(("127.0.0.1", port), "/metrics")
        if socket.has_dualstack_ipv6():
            assert got(("[::1]", port), "/metrics")
    finally:
        server.shutdown()
        server.server_close()


def test_a_taken_port_is_said_at_once(address: tuple[str, int]) -> None:
    with pytest.raises(OSError, match="in use"):
        serve(page, f"{address[0]}:{address[1]}")


def test_callers_who_say_nothing_take_no_more_than_the_room_there_is(address: tuple[str, int]) -> None:
    silent = [socket.create_connection(address) for _ in range(MOST_AT_ONCE)]
    try:
        with pytest.raises((urllib.error.URLError, ConnectionError)):
            got(address, "/metrics")
    finally:
        for one in silent:
            one.close()
    assert eventually_got(address)


def eventually_got(address: tuple[str, int]) -> bool:
    for _ in range(100):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return bool(got(address, "/metrics"))
        time.sleep(0.05)
    return False
