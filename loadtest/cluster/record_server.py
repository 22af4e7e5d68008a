"""Hands the run's record out, inside the master's pod: its own loopback only, reached by port-forward.

GET  /status                  what the run is at (PodStatus as JSON)
GET  /files                   {"files": {path: size in bytes}}
GET  /files/PATH?from=N       the bytes of a file from N on
POST /stop       {"by": ...}  end the load
POST /collected               the record has arrived somewhere safe: this pod may end
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from loadtest.loopback import LOOPBACK

RECORD_PORT = 8090  # in the master's pod
LARGEST_BODY_BYTES = 10_000
MOST_AT_ONCE_BYTES = 8_000_000
UNFINISHED = ".new"  # record.write_json's half-written files


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus:
    """What the run in this pod is at.

    state: "running" (from waiting for workers to the last figure of the report), "ready" (the record is whole),
        "failed" (no load began, or golive failed: problem and remedy say why).
    """

    run_id: str
    state: str = "running"
    ended: str = ""
    problem: str = ""
    remedy: str = ""
    keep_until_unix_s: float = 0.0  # after that the pod ends, collected or not; 0 while it runs

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> PodStatus:
        """What a pod told; one of another version may tell more than we know."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})


@dataclass(slots=True)
class Desk:
    """What the pod's main thread and the server's threads share."""

    folder: Path
    on_stop: Callable[[str], None]
    status: PodStatus
    collected: threading.Event = field(default_factory=threading.Event)

    def tell(self, **changes: Any) -> None:
        """Change the status: whole, so that no reader sees half of it."""
        self.status = replace(self.status, **changes)

    def files(self) -> dict[str, int]:
        """Every file of the record by its path inside it, with its size."""
        if not self.folder.is_dir():
            return {}
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.suffix != UNFINISHED)
        return {str(path.relative_to(self.folder)): path.stat().st_size for path in found}

    def read(self, name: str, start: int) -> bytes | None:
        """Some of a file's bytes from `start` on; None for a file that is none of the record's."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            file.seek(start)
            return file.read(MOST_AT_ONCE_BYTES)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    desk: Desk

    def do_GET(self) -> None:
        """Tell the status, list the files, or send a piece of one."""
        parts = urlsplit(self.path)
        if parts.path == "/status":
            self._send_json(asdict(self.desk.status))
        elif parts.path == "/files":
            self._send_json({"files": self.desk.files()})
        elif parts.path.startswith("/files/"):
            start = parse_qs(parts.query).get("from", ["0"])[0]
            name = unquote(parts.path.removeprefix("/files/"))
            piece = self.desk.read(name, int(start)) if start.isdigit() else None
            self._send(404 if piece is None else 200, piece or b"", "application/octet-stream")
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        """Stop the load, or take note that the record has been collected."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, LARGEST_BODY_BYTES))
        if self.path == "/stop":
            self.desk.on_stop(_by(body))
            self._send_json({})
        elif self.path == "/collected":
            self._send_json({})
            self.desk.collected.set()
        else:
            self._send(404, b"", "text/plain")

    def log_message(self, *_: Any) -> None:
        """Say nothing: the pod's log is for the run."""

    def _send_json(self, content: dict[str, Any]) -> None:
        self._send(200, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _by(body: bytes) -> str:
    try:
        return str(json.loads(body)["by"]) or "someone"
    except (ValueError, KeyError, TypeError):
        return "someone"


def serve(desk: Desk, *, port: int) -> ThreadingHTTPServer:
    """Begin to serve the desk in threads of its own; the server says which port it took (0: any)."""
    handler = type("Handler", (_Handler,), {"desk": desk})
    server = ThreadingHTTPServer((LOOPBACK, port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="record-server").start()
    return server
