"""Asks a pod's record server, one short connection a question: a laptop that slept finds its way back by itself."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from loadtest.cluster.errors import ApiUnreachable
from loadtest.cluster.record_server import PodStatus

TIMEOUT_S = 15.0
Connect = Callable[[], socket.socket]


class _Connection(http.client.HTTPConnection):
    """HTTP over a stream that is open already."""

    def __init__(self, stream: socket.socket) -> None:
        super().__init__("pod", timeout=TIMEOUT_S)
        self._stream = stream

    def connect(self) -> None:
        self.sock = self._stream
        self.sock.settimeout(TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class RecordClient:
    """The record server of one master pod. Every call raises ApiUnreachable when the pod cannot be reached."""

    connect: Connect

    def status(self) -> PodStatus:
        """What the run is at."""
        return PodStatus.of(json.loads(self._ask("GET", "/status")))

    def files(self) -> dict[str, int]:
        """The record's files with their sizes as they are now."""
        found: dict[str, int] = json.loads(self._ask("GET", "/files"))["files"]
        return found

    def read(self, name: str, start: int) -> bytes:
        """Bytes of a file from `start` on; not necessarily all of them."""
        return self._ask("GET", f"/files/{quote(name)}?from={start}")

    def stop(self, *, by: str) -> None:
        """End the load."""
        self._ask("POST", "/stop", {"by": by})

    def collected(self) -> None:
        """Let the pod end: the record is in safe hands."""
        self._ask("POST", "/collected", {})

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        connection: _Connection | None = None
        try:
            connection = _Connection(self.connect())
            connection.request(method, path, body=json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as silence:
            raise ApiUnreachable(
                f"The master's pod does not answer: {type(silence).__name__} {silence}".rstrip() + ".",
                remedy="The run goes on without us; `golive attach RUN` tries again.",
            ) from silence
        finally:
            if connection:
                connection.close()
        if answer.status != 200:
            raise ApiUnreachable(f"The master's pod answers {answer.status} to {path}.", remedy="Is it this golive's?")
        return content
