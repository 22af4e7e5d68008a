"""A rehearsal platform as a process of its own, and a client that says exactly what it is told to."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import yaml

from loadtest.rehearsal.admin import Admin
from loadtest.rehearsal.binaries import rehearsal_platform

REHEARSALS = Path(__file__).parents[3] / "scenarios" / "rehearsals"
READ, COMMAND, PAY, BIG = "/read", "/command", "/pay", "/big"


def small_config(**changes: Any) -> dict[str, Any]:
    """A gateway of 1 ms, a core of 4 ms, a worker of 50 commands/s, all constant; `changes` replace whole keys."""
    constant = {"p50": 4.0, "p99": 4.0}
    config: dict[str, Any] = {
        "name": "test",
        "namespace": "test-system",
        "connections": {"pinned": True, "requests_at_most": 100},
        "login": {"path": "/login"},
        "database": {"connections": 8, "time_ms": {"p50": 1.0, "p99": 1.0}},
        "services": [
            {"name": "api-gateway", "min": 2, "max": 9, "concurrency": 8, "time_ms": {"p50": 1.0, "p99": 1.0},
             "autoscaler": {"metric": "busy_ratio", "target": 0.6}},
            {"name": "core", "min": 2, "max": 9, "concurrency": 8, "time_ms": constant, "ready_after_s": 0.3,
             "autoscaler": {"metric": "requests_per_second", "target": 100}},
            {"name": "worker", "min": 1, "max": 9, "concurrency": 1, "ready_after_s": 0.3},
        ],
        "queues": [{"name": "commands", "service": "worker", "per_replica_rps": 50}],
        "routes": [
            {"method": "GET", "path": READ, "service": "core", "database_calls": 1, "answer_bytes": 100},
            {"method": "GET", "path": BIG, "service": "core", "answer_bytes": 30_000_000},
            {"method": "POST", "path": PAY, "service": "core", "status": 201, "needs": ["X-Idempotency-Key"]},
            {"method": "POST", "path": COMMAND, "service": "core", "status": 202, "queue": "commands",
             "needs": ["X-Idempotency-Key"]},
            {"method": "GET", "path": "/health", "service": "api-gateway", "open": True},
        ],
    }  # fmt: skip
    return config | changes


def rehearsal(name: str) -> dict[str, Any]:
    """One of the configurations that golive ships."""
    config: dict[str, Any] = yaml.safe_load((REHEARSALS / f"{name}.yaml").read_text(encoding="utf-8"))
    return config


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that runs."""

    listen: str
    admin: Admin
    process: subprocess.Popen[str]

    def ask(self, method: str, path: str, *, body: str = "", **headers: str) -> tuple[int, bytes]:
        """One request on a connection of its own: its status and body."""
        connection = HTTPConnection(self.listen, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body or None, headers=named)
        answer: HTTPResponse = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def token(self) -> str:
        """Log in."""
        return str(json.loads(self.ask("POST", "/login", body="{}")[1])["access_token"])

    def dial(self) -> socket.socket:
        """A connection without manners."""
        host, port = self.listen.split(":")
        return socket.create_connection((host, int(port)), timeout=10)

    def metrics(self, path: str = "/metrics") -> str:
        """The text a Prometheus would scrape."""
        connection = HTTPConnection(self.admin.address, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.read().decode()
        connection.close()
        return text


@contextmanager
def running(config: Mapping[str, Any], folder: Path) -> Iterator[Platform]:
    """Start a platform, and end it with its standard input."""
    file = folder / "platform.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [str(rehearsal_platform()), "--config", str(file), "--die-with-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout
        where = json.loads(process.stdout.readline())
        yield Platform(listen=where["listen"], admin=Admin(where["admin"]), process=process)
        assert process.stdin
        process.stdin.close()
        process.wait(timeout=10)


def request_bytes(path: str, token: str, *, extra: str = "") -> bytes:
    """A GET, as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\n{extra}\r\n".encode()


def read_answer(wire: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Exactly one answer from a connection: status, headers in lower case, body."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = wire.recv(1)
        assert byte, f"closed after {head!r}"
        head += byte
    first, *lines = head.decode().split("\r\n")[:-2]
    headers = dict(line.lower().split(": ", 1) for line in lines)
    body = bytearray()
    while len(body) < int(headers["content-length"]):
        body += wire.recv(min(int(headers["content-length"]) - len(body), 65536))
    return int(first.split(" ")[1]), headers, bytes(body)
