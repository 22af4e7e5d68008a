"""As much of a Kubernetes API server as the watch needs, over real HTTP, and all the ways in which one fails."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
UID = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """How the next answers to one kind of question fail."""

    status: int = 0  # answered with this status
    retry_after_s: int | None = None
    silent: bool = False  # accepted, and never answered
    cut: bool = False  # a watch that ends in the middle of a line
    frozen: bool = False  # a watch that is open and never says anything again: half-closed
    error_code: int = 0  # a watch that tells an ERROR
    brief: bool = False  # a watch that ends in order, at once
    page: bytes = b""  # answered with this instead of JSON


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    kind: str
    namespace: str
    watch: bool
    version: str
    token: str
    bookmarks: bool = False


@dataclass
class ApiServer:
    """Objects of one cluster by kind, their history, and what shall go wrong."""

    token: str = "first"
    versions_kept_from: int = 0
    forbidden: frozenset[str] = frozenset()  # kinds
    asked: list[Asked] = field(default_factory=list)
    url: str = ""
    _version: int = 100
    _objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    _history: list[tuple[int, str, str, Object]] = field(default_factory=list)  # version, kind, type, object
    _failures: dict[tuple[str, str, bool], list[Failure]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _closing: bool = False

    # --- what happens in the cluster ----------------------------------------------------------

    def put(self, kind: str, thing: Mapping[str, Any]) -> None:
        """Create or change an object; its uid is by its name unless it has one."""
        with self._changed:
            made = copy.deepcopy(dict(thing))
            about = made.setdefault("metadata", {})
            about.setdefault("uid", f"uid-{kind}-{about['name']}")
            self._version += 1
            about["resourceVersion"] = str(self._version)
            known = self._objects.setdefault(kind, {})
            self._history.append((self._version, kind, "MODIFIED" if about["uid"] in known else "ADDED", made))
            known[about["uid"]] = made
            self._changed.notify_all()

    def delete(self, kind: str, uid: str) -> None:
        """Delete an object."""
        with self._changed:
            gone = copy.deepcopy(self._objects[kind].pop(uid))
            self._version += 1
            gone["metadata"]["resourceVersion"] = str(self._version)
            self._history.append((self._version, kind, "DELETED", gone))
            self._changed.notify_all()

    def forget(self) -> None:
        """Compact: no version before this instant can be watched from."""
        with self._changed:
            self.versions_kept_from = self._version + 1
            self._version += 1

    def fail(self, kind: str, *failures: Failure, watch: bool = False, namespace: str = "hotel") -> None:
        """Let the next questions about a kind in a namespace fail, one after the other."""
        with self._changed:
            self._failures.setdefault((kind, namespace, watch), []).extend(failures)

    def times_asked(self, kind: str, *, watch: bool | None = None, namespace: str | None = None) -> int:
        """How often somebody asked about a kind."""
        return sum(
            one.kind == kind and watch in (None, one.watch) and namespace in (None, one.namespace)
            for one in list(self.asked)
        )

    # --- serving ------------------------------------------------------------------------------

    @contextmanager
    def serving(self) -> Iterator[ApiServer]:
        """Listen on loopback while the `with` lasts."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        server.block_on_close = False
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            server.shutdown()
            server.server_close()

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig with the present token."""
        return write_kubeconfig(path, {"server": self.url}, self.token)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        url = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        asked = _asked(url.path, query, str(handler.headers.get("Authorization", "")))
        self.asked.append(asked)
        failure = self._next_failure(asked)
        if failure and self._fails(handler, failure):
            return
        if asked.token != self.token:
            _status(handler, 401, "Unauthorized")
        elif asked.kind in self.forbidden:
            _status(handler, 403, f'{asked.kind} is forbidden: User "golive" cannot list resource "{asked.kind}"')
        elif asked.kind == "version":
            _json(handler, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        elif asked.kind == "kube-system":
            _json(handler, {"metadata": {"name": "kube-system", "uid": UID}})
        elif asked.watch:
            self._watch(handler, asked, query, failure)
        else:
            self._list(handler, asked, query)

    def _next_failure(self, asked: Asked) -> Failure | None:
        with self._changed:
            waiting = self._failures.get((asked.kind, asked.namespace, asked.watch))
            return waiting.pop(0) if waiting else None

    def _fails(self, handler: BaseHTTPRequestHandler, failure: Failure) -> bool:
        if failure.silent:
            with self._changed:
                self._changed.wait_for(lambda: self._closing, timeout=30)
            handler.close_connection = True
        elif failure.status:
            _status(handler, failure.status, f"told to fail with {failure.status}", retry_after_s=failure.retry_after_s)
        elif failure.page:
            _send(handler, 200, failure.page, "text/html")
        else:
            return False
        return True

    def _list(self, handler: BaseHTTPRequestHandler, asked: Asked, query: Mapping[str, str]) -> None:
        with self._changed:
            known = self._matching(asked, query.get("labelSelector", ""))
            first = int(query.get("continue") or 0)
            end = first + int(query.get("limit") or len(known) or 1)
            about = {"resourceVersion": str(self._version)}
            if end < len(known):
                about["continue"] = str(end)
            listing = {"kind": "List", "metadata": about, "items": copy.deepcopy(known[first:end])}
        _json(handler, listing)

    def _matching(self, asked: Asked, selector: str) -> list[Object]:
        return [one for one in self._objects.get(asked.kind, {}).values() if _selected(one, asked.namespace, selector)]

    def _watch(
        self, handler: BaseHTTPRequestHandler, asked: Asked, query: Mapping[str, str], failure: Failure | None
    ) -> None:
        stream, old = _Stream(handler), int(asked.version) < self.versions_kept_from
        if failure and failure.cut:
            stream.cut()
        elif failure and failure.frozen:
            self._freeze(stream)
        elif failure and failure.brief:
            stream.end()
        elif old or (failure and failure.error_code):
            code = failure.error_code if failure else 410
            stream.tell("ERROR", _status_object(code, "too old resource version" if old else "told to"))
            stream.end()
        else:
            told = self._tell_news(stream, asked, query)
            if asked.bookmarks:
                stream.tell("BOOKMARK", {"metadata": {"resourceVersion": str(told)}})
            stream.end()

    def _tell_news(self, stream: _Stream, asked: Asked, query: Mapping[str, str]) -> int:
        until_s, told = time.monotonic() + float(query.get("timeoutSeconds", 3600)), int(asked.version)
        while time.monotonic() < until_s and not self._closing:
            with self._changed:
                if self._version == told:
                    self._changed.wait(0.1)
                news = [entry for entry in self._history if entry[0] > told and entry[1] == asked.kind]
                told = self._version
            for _, _, what, thing in news:
                if _selected(thing, asked.namespace, query.get("labelSelector", "")):
                    stream.tell(what, thing)
        return told

    def _freeze(self, stream: _Stream) -> None:
        """Answer, and then be gone without a word: the connection is half-closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, timeout=60)
        stream.handler.close_connection = True


@dataclass
class _Stream:
    """One answer of unknown length, a chunk a line."""

    handler: BaseHTTPRequestHandler

    def __post_init__(self) -> None:
        self.handler.send_response(200)
        self.handler.send_header("Content-Type", "application/json")
        self.handler.send_header("Transfer-Encoding", "chunked")
        self.handler.end_headers()

    def tell(self, what: str, thing: Mapping[str, Any]) -> None:
        line = json.dumps({"type": what, "object": thing}).encode() + b"\n"
        self.handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.handler.wfile.flush()

    def cut(self) -> None:
        self.handler.wfile.write(b'40\r\n{"type":"ADDED","obj')
        self.handler.wfile.flush()
        self.handler.close_connection = True

    def end(self) -> None:
        self.handler.wfile.write(b"0\r\n\r\n")


def write_kubeconfig(path: Path, cluster: Mapping[str, str], token: str) -> Path:
    """A kubeconfig (JSON is YAML) of one cluster and one user."""
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "here", "cluster": dict(cluster)}],
        "users": [{"name": "golive", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "golive"}}],
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def _handler(server: ApiServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                server.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_told: Any) -> None:
            """Keep quiet."""

    return Handler


def _asked(path: str, query: Mapping[str, str], authorization: str) -> Asked:
    parts = path.strip("/").split("/")
    namespace = parts[parts.index("namespaces") + 1] if "namespaces" in parts else ""
    return Asked(
        kind=parts[-1], namespace=namespace, watch=query.get("watch", "").lower() == "true",
        version=query.get("resourceVersion", ""), token=authorization.partition(" ")[2],
        bookmarks=query.get("allowWatchBookmarks", "").lower() == "true",
    )  # fmt: skip


def _selected(thing: Object, namespace: str, selector: str) -> bool:
    about = thing["metadata"]
    wanted: dict[str, str] = dict(part.split("=", 1) for part in selector.split(",") if part)
    labels = about.get("labels") or {}
    return about.get("namespace", "") == namespace and all(labels.get(name) == value for name, value in wanted.items())


def _status_object(code: int, message: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Failure", "message": message, "code": code}


def _status(handler: BaseHTTPRequestHandler, code: int, message: str, *, retry_after_s: int | None = None) -> None:
    more = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    _send(handler, code, json.dumps(_status_object(code, message)).encode(), "application/json", more)


def _json(handler: BaseHTTPRequestHandler, content: Mapping[str, Any]) -> None:
    _send(handler, 200, json.dumps(content).encode(), "application/json")


def _send(
    handler: BaseHTTPRequestHandler, code: int, body: bytes, kind: str, more: Mapping[str, str] | None = None
) -> None:
    handler.send_response(code)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def until(holds: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Wait until something holds; false when it never did."""
    end_s = time.monotonic() + within_s
    while time.monotonic() < end_s:
        if holds():
            return True
        time.sleep(0.02)
    return holds()
