"""A small server that takes annotations as Grafana's HTTP API does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class FakeGrafana:
    """Keeps annotations by id; `status` other than 200 is what it answers instead."""

    url: str = ""
    status: int = 200
    slow_s: float = 0.0
    kept: dict[int, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    redirected_to: str = ""


@contextmanager
def fake_grafana() -> Iterator[FakeGrafana]:
    """Serve one on loopback."""
    fake = FakeGrafana()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            number = len(fake.kept) + 1
            self._take(number, "/grafana/api/annotations")

        def do_PATCH(self) -> None:
            number = int(self.path.rpartition("/")[2])
            self._take(number, f"/grafana/api/annotations/{number}")

        def _take(self, number: int, path: str) -> None:
            time.sleep(fake.slow_s)
            fake.tokens.add(self.headers["Authorization"])
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = fake.status if self.path == path else 404
            if status == 200:
                fake.kept.setdefault(number, {}).update(body)
            self.send_response(status)
            if fake.redirected_to:
                self.send_header("Location", fake.redirected_to)
            answer = json.dumps({"message": "Annotation added", "id": number}).encode()
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/grafana"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
