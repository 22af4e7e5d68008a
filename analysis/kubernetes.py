"""Kubernetes, over its own Python client: bounded in time, nothing retried behind our back, errors in our words."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
import yaml
from kubernetes import client, config

from analysis.cluster.ports import ApiTrouble, Change, Kind, Page, Scope, Trouble
from scenarios.errors import HarnessError

CONNECT_WITHIN_S = 3.0
ANSWER_WITHIN_S = 10.0
WATCH_GRACE_S = 5.0  # a watch that says nothing for so long after its time is over is dead
PAGE_ITEMS = 500
LONGEST_SAID = 300
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BY_STATUS = {
    401: Trouble.UNAUTHORIZED,
    403: Trouble.FORBIDDEN,
    404: Trouble.NOT_FOUND,
    408: Trouble.TIMEOUT,
    409: Trouble.CONFLICT,
    410: Trouble.GONE,
    429: Trouble.TOO_MANY,
    504: Trouble.TIMEOUT,
}
LISTED_BY = {
    Kind.PODS: (client.CoreV1Api, "list_namespaced_pod"),
    Kind.EVENTS: (client.CoreV1Api, "list_namespaced_event"),
    Kind.NODES: (client.CoreV1Api, "list_node"),
    Kind.DEPLOYMENTS: (client.AppsV1Api, "list_namespaced_deployment"),
    Kind.HPAS: (client.AutoscalingV2Api, "list_namespaced_horizontal_pod_autoscaler"),
}


class ClusterUnavailable(HarnessError):
    """There is no cluster to speak to: no service account, no usable kubeconfig."""


class Kubernetes:
    """One cluster's API server.

    The library alone obeys every Retry-After by sleeping, waits for ever where nothing answers, and keeps a token
    for as long as it likes; here one question is one request, and what went wrong is told at once.
    """

    def __init__(self, open_api: Callable[[], client.ApiClient]) -> None:
        """Connect to nothing yet. open_api: reads the credentials; called again when they are refused."""
        self._open_api = open_api
        self._api = open_api()
        self._streams: set[urllib3.BaseHTTPResponse] = set()
        self._lock = threading.Lock()

    @classmethod
    def in_cluster(cls) -> Kubernetes:
        """By the pod's service account. Raises ClusterUnavailable outside a pod."""
        return cls(lambda: _opened(config.load_incluster_config, "Run inside a pod that has a service account."))

    @classmethod
    def of_kubeconfig(cls, path: Path | None = None, context: str = "") -> Kubernetes:
        """By a kubeconfig; left out: the usual one, and its current context. Raises ClusterUnavailable."""

        def load(client_configuration: client.Configuration) -> None:
            read: Callable[..., None] = config.load_kube_config
            read(
                config_file=str(path) if path else None,
                context=context or None,
                client_configuration=client_configuration,
                persist_config=False,
            )

        return cls(lambda: _opened(load, "Name a kubeconfig and a context that `kubectl get pods` works with."))

    @property
    def server(self) -> str:
        """The API server's address."""
        parts = urlsplit(self._api.configuration.host)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def pages(self, kind: Kind, scope: Scope) -> Iterator[Page]:
        """List the objects of a kind, a page at a time."""
        after = None
        while after != "":
            listing = self._asked(kind, scope, limit=PAGE_ITEMS, **({"_continue": after} if after else {}))
            try:
                items, about = tuple(listing["items"] or ()), listing["metadata"]
                page = Page(items=items, version=str(about["resourceVersion"]))
                after = str(about.get("continue") or "")
            except (KeyError, TypeError) as strange:
                raise ApiTrouble(Trouble.NOT_KUBERNETES, f"a listing without {strange}") from None
            yield page

    def watch(self, kind: Kind, scope: Scope, *, version: str, for_s: float) -> Iterator[Change]:
        """Follow the changes since a version; bookmarks tell how far it has come when nothing changes."""
        stream = self._requested(
            kind, scope, within_s=for_s + WATCH_GRACE_S, watch=True, resource_version=version,
            allow_watch_bookmarks=True, timeout_seconds=max(1, round(for_s)),
        )  # fmt: skip
        with self._open(stream), _translated():
            yield Change(thing=None, version=version)
            for line in _lines(stream):
                yield _change(line)

    def cluster_uid(self) -> str:
        """The UID of the namespace kube-system."""
        namespace = self._json(client.CoreV1Api(self._api).read_namespace, "kube-system")
        return str((namespace.get("metadata") or {}).get("uid") or "")

    def kubernetes_version(self) -> str:
        """The server's git version."""
        return str(self._json(client.VersionApi(self._api).get_code).get("gitVersion") or "")

    def renew(self) -> None:
        """Read the credentials again; what cannot be read leaves the old ones."""
        with suppress(ClusterUnavailable):
            self._api = self._open_api()

    def interrupt(self) -> None:
        """End all watches that are on."""
        with self._lock:
            for stream in self._streams:
                with suppress(ValueError, RuntimeError, OSError):  # it has ended by itself meanwhile
                    stream.shutdown()

    def _asked(self, kind: Kind, scope: Scope, **options: Any) -> Mapping[str, Any]:
        with _translated():
            return _parsed(self._requested(kind, scope, **options))

    def _requested(
        self, kind: Kind, scope: Scope, *, within_s: float = ANSWER_WITHIN_S, **options: Any
    ) -> urllib3.BaseHTTPResponse:
        api, name = LISTED_BY[kind]
        place = () if kind is Kind.NODES else (scope.namespace,)
        if scope.labels:
            options["label_selector"] = scope.labels
        with _translated():
            answer: urllib3.BaseHTTPResponse = getattr(api(self._api), name)(
                *place, **options, _preload_content=False, _request_timeout=(CONNECT_WITHIN_S, within_s)
            )
            return answer

    def _json(self, method: Callable[..., Any], *named: str) -> Mapping[str, Any]:
        with _translated():
            return _parsed(method(*named, _preload_content=False, _request_timeout=(CONNECT_WITHIN_S, ANSWER_WITHIN_S)))

    @contextmanager
    def _open(self, stream: urllib3.BaseHTTPResponse) -> Iterator[None]:
        with self._lock:
            self._streams.add(stream)
        try:
            yield
        finally:
            with self._lock:
                self._streams.discard(stream)
            stream.close()


def _opened(load: Callable[..., None], remedy: str) -> client.ApiClient:
    settings = client.Configuration()
    try:
        load(client_configuration=settings)
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, KeyError, TypeError) as problem:
        raise ClusterUnavailable(f"There is no cluster to speak to: {problem}.", remedy=remedy) from None
    settings.retries = False
    settings.keep_alive = True
    if load is config.load_incluster_config or urlsplit(settings.host).hostname in LOOPBACK:
        settings.proxy = None  # a proxy is for the outside
    api = client.ApiClient(settings)
    api.user_agent = "golive"  # so that a cluster's owner knows whose questions these are
    return api


@contextmanager
def _translated() -> Iterator[None]:
    """What the library and the network raise, as ApiTrouble."""
    try:
        yield
    except client.ApiException as refusal:
        raise _refused(refusal) from None
    except urllib3.exceptions.TimeoutError as silence:
        unconnected = isinstance(silence, urllib3.exceptions.ConnectTimeoutError)
        kind = Trouble.UNREACHABLE if unconnected else Trouble.TIMEOUT
        raise ApiTrouble(kind, "nothing came in time") from None
    except (urllib3.exceptions.ProtocolError, ConnectionError) as cut:
        raise ApiTrouble(Trouble.CUT, _last_words(cut)) from None
    except (urllib3.exceptions.HTTPError, OSError) as silence:
        raise ApiTrouble(Trouble.UNREACHABLE, _last_words(silence)) from None


def _refused(refusal: client.ApiException) -> ApiTrouble:
    status = int(refusal.status or 0)
    if not status:
        return ApiTrouble(Trouble.UNREACHABLE, str(refusal.reason)[:LONGEST_SAID])
    trouble = BY_STATUS.get(status, Trouble.SERVER if status >= 500 else Trouble.NOT_KUBERNETES)
    after = str((refusal.headers or {}).get("Retry-After") or "")
    said = _said(refusal.body) or str(refusal.reason)
    return ApiTrouble(trouble, f"{said} (status {status})", retry_after_s=float(after) if after.isdigit() else None)


def _said(body: Any) -> str:
    """The message of a Status object; of anything else nothing is repeated."""
    try:
        return str(json.loads(body)["message"])[:LONGEST_SAID]
    except (ValueError, KeyError, TypeError):
        return ""


def _last_words(problem: BaseException) -> str:
    return str(problem).rsplit(": ", 1)[-1].strip("')\"")[:LONGEST_SAID]


def _parsed(answer: urllib3.BaseHTTPResponse) -> Mapping[str, Any]:
    try:
        content = json.loads(answer.data)
    except ValueError:
        content = None
    finally:
        answer.release_conn()
    if not isinstance(content, Mapping):
        raise ApiTrouble(Trouble.NOT_KUBERNETES, "its answer is no JSON object")
    return content


def _lines(stream: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Each line as soon as it is there; a torn last one is a cut."""
    rest = b""
    for piece in stream.stream(amt=None, decode_content=False):
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        raise ApiTrouble(Trouble.CUT, "the watch ended in half a line")


def _change(line: bytes) -> Change:
    try:
        told = json.loads(line)
        what, thing = str(told["type"]), told["object"]
        if what == "ERROR":
            raise _status_trouble(thing)
        version = str(thing["metadata"]["resourceVersion"])
    except (ValueError, KeyError, TypeError) as strange:
        raise ApiTrouble(Trouble.NOT_KUBERNETES, f"a watch told something else: {strange}") from None
    return Change(thing=None if what == "BOOKMARK" else thing, version=version, deleted=what == "DELETED")


def _status_trouble(status: Mapping[str, Any]) -> ApiTrouble:
    code = int(status.get("code") or 0)
    trouble = BY_STATUS.get(code, Trouble.SERVER)
    return ApiTrouble(trouble, f"{str(status.get('message') or '')[:LONGEST_SAID]} (status {code})")
