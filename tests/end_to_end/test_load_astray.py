"""Load that does not reach the whole platform: one address for all, a cache before it. By real cause, and without."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.end_to_end.test_findings_by_cause import GOLIVE, PLAN, findings, outcomes, verdict_of
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SHORT = (
    PLAN.replace("14s", "5s").replace("workers: 2", "workers: 1").replace("objectives: smoke", "objectives: own.yaml")
)
OBJECTIVES = """\
- {kind: throughput, name: throughput, at_least_rps: rate-to-prove, window_s: 5}
- {kind: latency, name: p95-latency, quantile_ratio: 0.95, below_ms: 450}
- {kind: error_ratio, name: error-rate, below_ratio: 0.04}
"""
HOSTS = "127.0.0.1 localhost edges.example\n127.0.0.2 edges.example\n127.0.0.3 edges.example\n"
HOLD = 600  # requests due in it


def run(folder: Path, url: str, *, sending: str = "{connections: 16}", hosts: str = "") -> dict[str, object]:
    """Run golive at a URL; hosts: what /etc/hosts says to it alone."""
    (folder / "short.yaml").write_text(SHORT.replace("{connections: 16}", sending))
    (folder / "targets.yaml").write_text(f'- {{name: here, url: "{url}", target_class: rehearsal}}\n')
    (folder / "own.yaml").write_text(OBJECTIVES)
    (folder / "hosts").write_text(hosts)
    alone = ["unshare", "-m", "sh", "-c", 'mount --bind hosts /etc/hosts && exec "$@"', "-"] if hosts else []
    command = [*alone, str(GOLIVE), "run", "short.yaml", "--target", "here"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode in (0, 3), done.stderr
    return verdict_of(folder)


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


def driven_at_edges(folder: Path, edges: Edges, *, sending: str) -> dict[str, object]:
    if os.geteuid() or not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("only root can give one process a hosts file of its own")

    async def drive() -> dict[str, object]:
        servers, port = await edges.serve()
        try:
            url = f"http://edges.example:{port}"
            return await asyncio.to_thread(run, folder, url, sending=sending, hosts=HOSTS)
        finally:
            for server in servers:
                server.close()

    return asyncio.run(drive())


def test_load_over_all_addresses_and_past_every_cache_has_no_finding(tmp_path: Path) -> None:
    edges = Edges()
    verdict = driven_at_edges(tmp_path, edges, sending="{connections: 16}")
    assert findings(verdict) == set()
    assert max(edges.requests.values()) - min(edges.requests.values()) <= 1
    assert len(edges.requests) == 3
    assert outcomes(verdict)["throughput"] == "met"


@pytest.mark.parametrize(
    ("listening", "sending"),
    [
        (("127.0.0.1", "127.0.0.2", "127.0.0.3"), "{connections: 16, addresses: first}"),
        (("127.0.0.1",), "{connections: 16}"),
    ],
    ids=["the plan takes the first", "the others take no connection"],
)
def test_one_address_that_takes_all_the_load_is_found(tmp_path: Path, listening: tuple[str, ...], sending: str) -> None:
    edges = Edges(listening)
    verdict = driven_at_edges(tmp_path, edges, sending=sending)
    assert findings(verdict) == {"one-address"}
    assert len(edges.requests) == 1
    assert {outcomes(verdict)[name] for name in ("throughput", "p95-latency", "error-rate")} == {"unproven"}


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
        verdict = run(tmp_path, edge.url)
    assert findings(verdict) == {"cached-answers"}
    assert platform.total == edge.total // 2
    told = next(finding["what"] for finding in verdict["findings"] if finding["kind"] == "cached-answers")  # type: ignore[attr-defined]
    assert f"{HOLD // 2} of {HOLD}" in told
    assert {outcomes(verdict)[name] for name in ("throughput", "p95-latency", "error-rate")} == {"unproven"}
