"""Serves the metrics page at /metrics, beside everything else that the master does."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/metrics"
GIVE_UP_AFTER_S = 5.0  # on a caller that says or reads nothing
MOST_AT_ONCE = 16
Rendered = Callable[[str], tuple[str, bytes]]  # Accept header → content type, text


class _Handler(BaseHTTPRequestHandler):
    timeout = GIVE_UP_AFTER_S
    rendered: Rendered
    server: _Server

    def do_GET(self) -> None:
        """The page, or 404 for any other path."""
        if self.path.partition("?")[0] != PATH:
            self._send(404, "text/plain; charset=utf-8", f"The metrics are at {PATH}.\n".encode())
            return
        content_type, text = type(self).rendered(self.headers.get("Accept", ""))
        self._send(200, content_type, text)

    def log_message(self, *_: Any) -> None:
        """Say nothing: the master's log is for the run."""

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._room = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind, for IPv4 as well where the address is IPv6's; without looking up a name for it."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, unless too many are being answered already."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller that went away in the middle."""


def serve(rendered: Rendered, address: str) -> ThreadingHTTPServer:
    """Begin to serve at HOST:PORT (port 0: any). Raises OSError when somebody listens there already."""
    host, _, port = address.rpartition(":")
    handler = type("Handler", (_Handler,), {"rendered": staticmethod(rendered)})
    server = _Server((host.strip("[]"), int(port)), handler)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()
    return server
