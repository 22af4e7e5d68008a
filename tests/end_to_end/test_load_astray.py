"""Load that does not reach the whole platform: one address for all, a cache before it. By real cause, and without."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.driving import HOLD_S, RPS, driven, findings, laid_out, outcomes
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HOSTS = "127.0.0.1 localhost edges.example\n127.0.0.2 edges.example\n127.0.0.3 edges.example\n"
UNSHARED = ("unshare", "-m", "sh", "-c", 'mount --bind hosts /etc/hosts && exec "$@"', "-")
VOID = {"throughput": "unproven", "p95-latency": "unproven", "p99-latency": "unproven", "error-rate": "unproven"}


class Edges:
    """A server on several addresses of loopback that knows which one each request came to; its cache never has it."""

    def __init__(self, addresses: tuple[str, ...] = ("127.0.0.1", "127.0.0.2", "127.0.0.3")) -> None:
        self.addresses = addresses
        self.requests: Counter[str] = Counter()

    async def serve(self) -> tuple[list[asyncio.Server], int]:
        """Listen on one port of all addresses."""
        first = await asyncio.start_server(self._converse, self.addresses[0], 0)
        port = first.sockets[0].getsockname()[1]
        return [first, *[await asyncio.start_server(self._converse, one, port) for one in self.addresses[1:]]], port

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host = writer.get_extra_info("sockname")[0]
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self.requests[host] += 1
                writer.write(an_answer(headers="Via: 1.1 edge\r\nAge: 0\r\nX-Cache: MISS\r\n"))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def driven_at_edges(folder: Path, edges: Edges) -> dict[str, Any]:
    if os.geteuid() or not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root can give one process a hosts file of its own")

    async def drive() -> dict[str, Any]:
        servers, port = await edges.serve()
        laid_out(folder, f"http://edges.example:{port}", WORKERS="1")
        (folder / "hosts").write_text(HOSTS)
        try:
            return await asyncio.to_thread(driven, folder, through=UNSHARED)
        finally:
            for server in servers:
                server.close()

    # On a thread of its own: Chromium's driver, in an earlier test, leaves this one with a running event loop.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(lambda: asyncio.run(drive())).result()


def test_load_over_all_addresses_and_past_every_cache_has_no_finding(tmp_path: Path) -> None:
    edges = Edges()
    verdict = driven_at_edges(tmp_path, edges)
    assert findings(verdict) == {}
    assert max(edges.requests.values()) - min(edges.requests.values()) < 12  # of 780
    assert len(edges.requests) == 3
    assert outcomes(verdict)["throughput"] == "met"


def test_one_address_that_takes_all_the_load_because_the_others_take_no_connection_is_found(tmp_path: Path) -> None:
    edges = Edges(("127.0.0.1",))
    verdict = driven_at_edges(tmp_path, edges)
    assert findings(verdict).keys() == {"one-address"}
    assert "Of 3 addresses of the target's name 127.0.0.1:" in findings(verdict)["one-address"]
    assert outcomes(verdict) == VOID


class CachingProxy:
    """Answers every second request out of its store, as it says in its headers; the others go to the platform."""

    def __init__(self, platform: CountingServer) -> None:
        self.platform = platform

    async def answer(self, _line: str, number: int) -> bytes:
        if number % 2:
            return an_answer(headers="Via: 1.1 edge\r\nAge: 7\r\nX-Cache: HIT\r\n")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.platform.url.rsplit(":", 1)[1]))
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        writer.close()
        return head[:-2] + b"Via: 1.1 edge\r\nX-Cache: MISS\r\n\r\n" + body


def test_answers_out_of_a_cache_are_found_and_prove_nothing_of_the_platform(tmp_path: Path) -> None:
    with CountingServer() as platform, CountingServer(CachingProxy(platform).answer) as edge:
        laid_out(tmp_path, edge.url, WORKERS="1")
        verdict = driven(tmp_path)
    assert findings(verdict).keys() == {"cached-answers"}
    assert platform.total == edge.total // 2
    assert f"{HOLD_S * RPS // 2} of {HOLD_S * RPS}" in findings(verdict)["cached-answers"]
    assert outcomes(verdict) == VOID
