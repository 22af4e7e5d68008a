"""The platform's admin API in Python: remembers what it is asked, and misbehaves on demand."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERS = {"garbage": b"\x16\x03\x01 nonsense\r\n\r\n", "close": b"", "no json": b"HTTP/1.1 200 OK\r\n\r\nnonsense"}


class FakePlatform:
    """Shows one state, for the duration of a `with`."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state
        self.trouble = ""  # refuse, error, or a key of ANSWERS
        self.asked: list[tuple[str, str]] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> FakePlatform:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.asked.append(("GET", self.path))
                self._answer(platform.state)

            def do_PUT(self) -> None:
                platform.asked.append(("PUT", self.path))
                order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path.startswith("/services/"):
                    platform.orders[self.path.rpartition("/")[2]] = order
                self._answer({})

            def _answer(self, content: dict[str, Any]) -> None:
                if platform.trouble in ANSWERS:
                    self.wfile.write(ANSWERS[platform.trouble])
                    return
                statuses = {"refuse": 400, "error": 503}
                self.send_response(statuses.get(platform.trouble, 200))
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
