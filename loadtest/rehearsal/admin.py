"""The rehearsal platform's admin API, as its autoscaler and the tests use it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scenarios.errors import StageFailed

ANSWER_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Admin:
    """Speaks to a platform on loopback."""

    address: str  # host:port

    def state(self) -> dict[str, Any]:
        """Replicas, load and queues, as they are now."""
        said = self._ask("GET", "/state")
        try:
            return dict(json.loads(said))
        except ValueError as wrong:
            raise self._silent(wrong) from wrong

    def scale(self, service: str, desired: int) -> None:
        """Start or stop replicas of a service."""
        self._ask("PUT", f"/services/{service}", {"desired": desired})

    def tell_autoscaler(self, service: str, status: Mapping[str, Any]) -> None:
        """Say what the autoscaler of a service sees and wants: exported as kube-state-metrics would."""
        self._ask("PUT", f"/autoscalers/{service}", status)

    def set_faults(self, faults: Mapping[str, Any]) -> None:
        """Put faults in; an empty mapping mends all."""
        self._ask("PUT", "/faults", faults)

    def freeze(self, for_s: float) -> None:
        """Let the platform answer nothing for so long."""
        self._ask("POST", "/freeze", {"for_s": for_s})

    def kill(self, service: str, replicas: int) -> None:
        """Let replicas of a service vanish."""
        self._ask("POST", "/kill", {"service": service, "replicas": replicas})

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> bytes:
        connection = http.client.HTTPConnection(self.address, timeout=ANSWER_WITHIN_S)
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body=body, headers={"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as wrong:
            raise self._silent(wrong) from wrong
        finally:
            connection.close()
        if answer.status >= 300:
            raise StageFailed(
                f"{method} {path} was refused by the rehearsal platform: {said.decode(errors='replace').strip()}",
                remedy="Compare with docs/rehearsal.md.",
            )
        return said

    def _silent(self, wrong: Exception) -> StageFailed:
        return StageFailed(
            f"The rehearsal platform's admin API at {self.address} does not answer: {wrong!r}.",
            remedy="Look at platform.log in the stage's folder.",
        )
