"""Writes what happens in a run into Grafana as annotations: phases, lost workers, an abort, the end of the load.

Only where GOLIVE_GRAFANA_URL and GOLIVE_GRAFANA_TOKEN say so. It reads the record as it grows, in a thread of its own:
a Grafana that is slow, wrong or gone holds up nothing, and is told once.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtest.tail import Tail
from scenarios.errors import UsageError

URL_VARIABLE, TOKEN_VARIABLE = "GOLIVE_GRAFANA_URL", "GOLIVE_GRAFANA_TOKEN"
DASHBOARD_UID = "golive-run"  # charts/golive/dashboards/running-test.json
ANSWER_WITHIN_S = 3.0
LOOK_EVERY_S = 0.5
LAST_LOOK_WITHIN_S = 8.0
MARKS = {
    "abort": "aborted",
    "stop_requested": "stop requested",
    "worker_lost": "a worker was lost",
    "rate_changed": "the rate was changed",
    "load_ended": "the load ended",
}


@dataclass(frozen=True, slots=True)
class Grafana:
    """Grafana's HTTP API, as far as annotations go. The token never appears in what this says of itself."""

    url: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Grafana | None:
        """The Grafana that the environment names; None for none."""
        url, token = environment.get(URL_VARIABLE, ""), environment.get(TOKEN_VARIABLE, "")
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or not token:
            raise UsageError(
                f"{URL_VARIABLE} and {TOKEN_VARIABLE} do not name a Grafana.",
                remedy=f"{URL_VARIABLE} is http(s)://host[:port][/path] without a user; the token of a service account "
                f"that may write annotations goes into {TOKEN_VARIABLE}. Leave both out for no annotations.",
            )
        return cls(url.rstrip("/"), token)

    def begin(self, *, at_unix_s: float, text: str, tags: list[str]) -> int:
        """Write an annotation; returns its id."""
        body = {"dashboardUID": DASHBOARD_UID, "time": _ms(at_unix_s), "text": text, "tags": tags}
        return int(self._call("POST", "/api/annotations", body)["id"])

    def end(self, annotation: int, *, at_unix_s: float) -> None:
        """Make it a span that ends there."""
        self._call("PATCH", f"/api/annotations/{annotation}", {"timeEnd": _ms(at_unix_s)})

    def _call(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(
            self.url + path, data=json.dumps(body).encode(), method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )  # fmt: skip
        with _OPENER.open(request, timeout=ANSWER_WITHIN_S) as answer:
            return json.loads(answer.read(100_000))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Never: the token is for this host alone."""


_OPENER = urllib.request.build_opener(_NoRedirects)


@dataclass(slots=True)
class Annotator:
    """Follows a run's events and annotates them, until it is closed."""

    grafana: Grafana
    folder: Path
    told: Callable[[str], None]  # the first trouble, in one sentence
    _trouble: bool = False
    _open: int | None = None
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _events: Tail = field(init=False)

    def __post_init__(self) -> None:
        """Begin at the beginning of the events."""
        self._events = Tail(self.folder / "events.jsonl")

    def start(self) -> Annotator:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._follow, daemon=True, name="annotations")
        self._thread.start()
        return self

    def close(self) -> None:
        """Annotate what is left, but do not wait for long."""
        self._over.set()
        if self._thread:
            self._thread.join(LAST_LOOK_WITHIN_S)

    def look(self) -> None:
        """Annotate what has happened since the last look."""
        for line in self._events.lines():
            try:
                self._take(json.loads(line))
            except (HTTPException, OSError, ValueError, KeyError, TypeError) as wrong:  # URLError is an OSError
                self._tell(wrong)

    def _follow(self) -> None:
        while not self._over.wait(LOOK_EVERY_S):
            self.look()
        self.look()

    def _take(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "phase_started":
            self._end_phase(float(event["t0_unix_s"]))
            name = str(event["phase"])
            text = f"golive {self.folder.name}: {name}" + ("" if event["judged"] else " (not judged)")
            at_unix_s = float(event["t0_unix_s"])
            self._open = self.grafana.begin(at_unix_s=at_unix_s, text=text, tags=self._tags(f"phase:{name}"))
        elif kind == "leg_ended":
            self._end_phase(float(event["at_unix_s"]))
        elif kind in MARKS:
            at_unix_s = float(event["at_unix_s"])
            if kind == "load_ended":
                self._end_phase(at_unix_s)
            why = str(event.get("what") or event.get("because") or event.get("by") or "")
            text = f"golive {self.folder.name}: {MARKS[kind]}" + (f": {why}" if why else "")
            self.grafana.begin(at_unix_s=at_unix_s, text=text, tags=self._tags(kind.replace("_", "-")))

    def _end_phase(self, at_unix_s: float) -> None:
        annotation, self._open = self._open, None
        if annotation is not None:
            self.grafana.end(annotation, at_unix_s=at_unix_s)

    def _tags(self, what: str) -> list[str]:
        return ["golive", f"run:{self.folder.name}", what]

    def _tell(self, wrong: Exception) -> None:
        if not self._trouble:
            self._trouble = True
            said = f"HTTP {wrong.code}" if isinstance(wrong, urllib.error.HTTPError) else type(wrong).__name__
            self.told(f"Grafana at {urlsplit(self.grafana.url).netloc} took no annotation ({said}); the run goes on.")
        if isinstance(wrong, urllib.error.HTTPError):
            wrong.close()


def annotating(folder: Path, environment: Mapping[str, str], told: Callable[[str], None]) -> Annotator | None:
    """An annotator that follows this run, where the environment names a Grafana."""
    grafana = Grafana.of(environment)
    return Annotator(grafana, folder, told).start() if grafana else None


def _ms(at_unix_s: float) -> int:
    return round(at_unix_s * 1000)
