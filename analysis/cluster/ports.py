"""What the analysis needs from a Kubernetes API server, in our own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Object = Mapping[str, Any]  # one Kubernetes object as the API's JSON has it


class Kind(StrEnum):
    """The kinds of objects that are looked at."""

    PODS = "pods"
    EVENTS = "events"
    NODES = "nodes"  # of the cluster, in no namespace
    DEPLOYMENTS = "deployments"
    HPAS = "horizontalpodautoscalers"


class Trouble(StrEnum):
    """The ways in which the API server fails us; each is met in its own way."""

    UNAUTHORIZED = "401 unauthorized"  # credentials are read again
    FORBIDDEN = "403 forbidden"  # noted once, asked again seldom
    NOT_FOUND = "404 not found"  # the same
    CONFLICT = "409 conflict"
    GONE = "410 gone"  # the version is too old: listed anew
    TOO_MANY = "429 too many requests"  # waits for as long as it is told to
    SERVER = "server error"
    TIMEOUT = "time-out"
    CUT = "connection cut"
    UNREACHABLE = "unreachable"
    NOT_KUBERNETES = "not a Kubernetes API"


class ApiTrouble(Exception):
    """One question that the API server did not answer."""

    def __init__(self, trouble: Trouble, said: str, *, retry_after_s: float | None = None) -> None:
        """said: the server's own words, without credentials; retry_after_s: how long it asks to be left alone."""
        super().__init__(f"{trouble}: {said}" if said else str(trouble))
        self.trouble = trouble
        self.said = said
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which objects of a kind: those of a namespace ("" for the whole cluster) with these labels ("" for all)."""

    namespace: str = ""
    labels: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a listing. All pages of one listing have the same version."""

    items: tuple[Object, ...]
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a watch tells: an object that is new, changed or deleted; or, without one, only how far it has come."""

    thing: Object | None
    version: str
    deleted: bool = False


class ClusterReader(Protocol):
    """One cluster's API server, read only. Every call raises ApiTrouble and nothing else for what the server does."""

    @property
    def server(self) -> str:
        """The address as it may be shown: without credentials."""
        ...

    def pages(self, kind: Kind, scope: Scope) -> Iterator[Page]:
        """List the objects of a kind, a page at a time."""
        ...

    def watch(self, kind: Kind, scope: Scope, *, version: str, for_s: float) -> Iterator[Change]:
        """Follow the changes since a version; ends after `for_s` or so, and at once by `interrupt`.

        The first change has no object: it only tells that the watch is on.
        """
        ...

    def cluster_uid(self) -> str:
        """The UID of the namespace kube-system, which stands for the cluster."""
        ...

    def kubernetes_version(self) -> str:
        """What the server says it is: "v1.34.1"."""
        ...

    def renew(self) -> None:
        """Read the credentials again: tokens are short-lived."""
        ...

    def interrupt(self) -> None:
        """End all watches that are on, from another thread."""
        ...
