"""How golive's connections are secured and used: TLS and the connection policy. Values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_STREAMS = 10_000  # what the engine takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS to the target. A key is named here and never stands here."""

    minimum: Literal["1.2", "1.3"] = "1.2"
    maximum: Literal["1.2", "1.3"] = "1.3"
    server_name: str = ""  # asked for and checked instead of the URL's host (SNI)
    insecure: bool = False  # take any certificate; said in the output, the record and the report
    resumption: bool = True  # false: every connection pays a whole handshake
    client_certificate_file: str = ""  # PEM, with its chain
    client_key_file: str = ""  # PEM; read on the master only
    client_key_env: str = ""  # or the environment variable that holds the PEM


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionPolicy:
    """The protocol, and what becomes of a connection after a request.

    Load balancers and autoscalers behave differently under each.
    """

    http: Literal["1.1", "2"] = "1.1"  # 2: agreed upon by ALPN with TLS, known beforehand without
    streams_per_connection: int = 100  # of HTTP/2, at a time: when all are full, another connection is opened
    keep_alive: bool = True  # false: a new connection for every request
    requests_per_connection: int | None = None  # at most; None: no end
    lifetime_s: float | None = None  # at most: each ends in the last tenth of it, so that not all end together


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientIdentity:
    """A client certificate and its key, read: for the wire, never for a file."""

    certificate_pem: str = ""
    key_pem: str = ""


def careless(tls: Tls) -> str:
    """What everyone must be told of this TLS; "" when there is nothing."""
    if not tls.insecure:
        return ""
    return "insecure: any certificate is taken, so it is not proved who answered"


def in_words(policy: ConnectionPolicy) -> str:
    """The policy as a report tells it."""
    if policy.http == "2":
        return f"HTTP/2, at most {policy.streams_per_connection:,} requests at a time on each, {_kept(policy)}"
    return _kept(policy)


def _kept(policy: ConnectionPolicy) -> str:
    if not policy.keep_alive:
        return "a new connection for every request"
    ends = []
    if policy.requests_per_connection is not None:
        ends.append(f"{policy.requests_per_connection:,} requests")
    if policy.lifetime_s is not None:
        ends.append(f"{policy.lifetime_s:g} s")
    return f"kept for at most {' or '.join(ends)}" if ends else "kept as long as the target keeps them"


def transport_problems(tls: Tls, policy: ConnectionPolicy) -> list[str]:
    """What no connection can be held to."""
    found = []
    if tls.minimum > tls.maximum:
        found.append(f"tls.minimum {tls.minimum} is above tls.maximum {tls.maximum}")
    if tls.client_key_file and tls.client_key_env:
        found.append("tls names a client_key_file and a client_key_env; one of them is enough")
    if bool(tls.client_certificate_file) != bool(tls.client_key_file or tls.client_key_env):
        found.append("tls needs both, a client_certificate_file and its client_key_file (or client_key_env)")
    if not 1 <= policy.streams_per_connection <= MOST_STREAMS:
        found.append(f"connection.streams_per_connection {policy.streams_per_connection} is not 1 to {MOST_STREAMS:,}")
    if policy.requests_per_connection is not None and policy.requests_per_connection < 1:
        found.append(f"connection.requests_per_connection {policy.requests_per_connection} is not 1 or more")
    if policy.lifetime_s is not None and not 0.001 <= policy.lifetime_s <= 1e6:
        found.append(f"connection.lifetime_s {policy.lifetime_s:g} is not 0.001 or more")
    return found
