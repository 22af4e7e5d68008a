"""The Kubernetes API as golive acts on it: plain JSON in and out, errors in our words. Reading evidence is elsewhere.

The only importer of the `kubernetes` package in loadtest.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3.exceptions
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import portforward

from loadtest.cluster.errors import (
    ApiConflict,
    ApiForbidden,
    ApiNotFound,
    ApiRefused,
    ApiUnauthorized,
    ApiUnreachable,
)
from loadtest.cluster.ports import Json
from scenarios.errors import UsageError

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Api:
    """One cluster, by one context of a kubeconfig or from inside a pod."""

    client: client.ApiClient
    context: str

    @classmethod
    def of_context(cls, context: str = "") -> Api:
        """The cluster of a kubeconfig's context (default: the current one); UsageError when there is none."""
        try:
            chosen = context or config.list_kube_config_contexts()[1]["name"]
            return cls(config.new_client_from_config(context=chosen), chosen)
        except ConfigException as wrong:
            raise UsageError(
                f"No cluster to run on: {wrong}".rstrip(".") + ".",
                remedy="Set KUBECONFIG, or choose a context (kubectl config use-context NAME, or --context NAME).",
            ) from None

    @classmethod
    def of_this_pod(cls) -> Api:
        """The cluster that this pod runs in, with its service account."""
        inside = client.Configuration()
        config.load_incluster_config(client_configuration=inside)
        return cls(client.ApiClient(inside), "in-cluster")

    def get(self, path: str, **query: str) -> Json:
        """Read an object or a list."""
        return self._ask("GET", path, query=query)

    def create(self, path: str, body: Json) -> Json:
        """Create an object; ApiConflict when it is there already."""
        return self._ask("POST", path, body=body)

    def replace(self, path: str, body: Json) -> Json:
        """Replace an object; ApiConflict when somebody changed it since it was read."""
        return self._ask("PUT", path, body=body)

    def delete(self, path: str, body: Json | None = None) -> None:
        """Delete an object; one that is gone already is fine."""
        try:
            self._ask("DELETE", path, body=body)
        except ApiNotFound:
            return

    def forward(self, namespace: str, pod: str, port: int) -> socket.socket:
        """A stream to a port of a pod's own loopback, through the API server; ApiRefused when it cannot be had."""
        core = client.CoreV1Api(self.client)
        try:
            forwarded = portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port))
        except ApiException as refusal:
            raise _in_our_words(refusal.status or 0, refusal.reason or "", f"pods/{pod}/portforward") from None
        stream: socket.socket = forwarded.socket(port)
        return stream

    def _ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None) -> Json:
        request = self.client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            answer = self.client.call_api(*request, _request_timeout=TIMEOUT_S)
            content = answer.read()
        except urllib3.exceptions.HTTPError as silence:
            raise ApiUnreachable(
                f"The cluster of context {self.context!r} does not answer: {_short(silence)}.",
                remedy="Check the network, the VPN and the context (kubectl get --raw /readyz).",
            ) from None
        if not 200 <= answer.status < 300:
            raise _in_our_words(answer.status, _message(content), f"{method} {path}")
        found: Json = json.loads(content)
        return found


def _short(silence: urllib3.exceptions.HTTPError) -> str:
    reason = getattr(silence, "reason", None) or silence
    return str(reason).split(": ", 1)[-1]


def _message(content: bytes | None) -> str:
    try:
        return str(json.loads(content or b"")["message"])
    except (ValueError, KeyError, TypeError):
        return (content or b"")[:200].decode("utf-8", errors="replace").strip()


def _in_our_words(status: int, message: str, what: str) -> ApiRefused:
    kinds: dict[int, type[ApiRefused]] = {
        401: ApiUnauthorized, 403: ApiForbidden, 404: ApiNotFound, 409: ApiConflict
    }  # fmt: skip
    kind = kinds.get(status, ApiRefused)
    return kind(f"Kubernetes refused {what}: {status} {message}".strip(), remedy=kind.ADVICE)


def _quiet_about_closed_streams(died: threading.ExceptHookArgs) -> None:
    """The library's thread that carries a port-forward dies with its connection; whoever reads the stream is told."""
    if died.thread is None or not died.thread.name.startswith("Kubernetes port forward proxy"):
        threading.__excepthook__(died)


threading.excepthook = _quiet_about_closed_streams
