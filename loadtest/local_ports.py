"""Local ports: what a plan's connections take at once and hold after their end, against what this machine has.

A closed connection holds its port for a minute (TIME_WAIT) on the side that closed first. Where its lifetime ends, that
is golive; after a `Connection: close` it is whoever is faster, so that golive may run out, and says so.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from scenarios.errors import PreflightFailed
from scenarios.plan import Plan
from scenarios.transport import in_words

PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
REUSE = Path("/proc/sys/net/ipv4/tcp_tw_reuse")
TIME_WAIT_S = 60.0  # fixed in Linux
REUSED_AFTER_S = 1.0  # with tcp_tw_reuse, for connections golive opens: what RFC 6191 allows
SHORTEST_LIFE_RATIO = 0.9  # lifetimes are spread over their last tenth (engine/PLAN.md)
REMEDY = (
    "Keep connections longer (`sending.connection`), widen net.ipv4.ip_local_port_range, set net.ipv4.tcp_tw_reuse=1, "
    "or spread the load over more machines or more addresses of the target."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The local ports of a machine, for connections to one target. They count for each of its addresses."""

    first: int
    last: int
    addresses: int = 1
    held_s: float = TIME_WAIT_S

    @property
    def count(self) -> int:
        """Of so many connections at once, one end each."""
        return (self.last - self.first + 1) * self.addresses

    def __str__(self) -> str:
        """The range, and for how many addresses."""
        to = f" to each of {self.addresses} addresses" if self.addresses > 1 else ""
        return f"{self.first}–{self.last}{to}"


def ports_of(plan: Plan) -> Ports:
    """Those of this machine to the plan's target."""
    found = _addresses(plan.target.url)
    try:
        first, last = (int(word) for word in PORT_RANGE.read_text().split())
        reuse = int(REUSE.read_text())
    except (OSError, ValueError):
        first, last, reuse = 32768, 60999, 0
    reused = reuse == 1 or (reuse == 2 and all(_is_loopback(address) for address in found))
    many = max(1, len(found)) if plan.sending.addresses == "all" else 1
    return Ports(first=first, last=last, addresses=many, held_s=REUSED_AFTER_S if reused else TIME_WAIT_S)


def check_ports(plan: Plan, ports: Ports) -> str:
    """What may run out, in words; "" when nothing can. Raises PreflightFailed for what must run out."""
    opened = plan.sending.connections * plan.workers
    if ports.count < opened * 2:
        raise PreflightFailed(
            f"{opened:,} connections need about {opened * 2:,} local ports; {ports} has fewer.",
            remedy="Widen net.ipv4.ip_local_port_range, or lower `sending.connections` or the number of workers.",
        )
    if plan.closed:
        return ""  # a locustfile's clients keep or drop their connections as they like
    by_golive_per_s, by_either_per_s = closed_per_s(plan)
    if opened + _held(by_golive_per_s, plan, ports) > ports.count:
        raise PreflightFailed(_told(by_golive_per_s, plan, ports, "will"), remedy=REMEDY)
    if opened + _held(by_golive_per_s + by_either_per_s, plan, ports) > ports.count:
        return f"{_told(by_golive_per_s + by_either_per_s, plan, ports, 'may')} {REMEDY}"
    return ""


def closed_per_s(plan: Plan) -> tuple[float, float]:
    """How many connections a second end at most: by golive at the end of their lives, and by whoever is faster."""
    policy = plan.sending.connection
    opened = plan.sending.connections * plan.workers
    by_golive_per_s = opened / (policy.lifetime_s * SHORTEST_LIFE_RATIO) if policy.lifetime_s else 0.0
    carried = 1 if not policy.keep_alive else policy.requests_per_connection
    return by_golive_per_s, plan.peak_rps / carried if carried else 0.0


def _held(closed_per_s: float, plan: Plan, ports: Ports) -> float:
    return closed_per_s * min(ports.held_s, plan.longest_s)


def _told(closed_per_s: float, plan: Plan, ports: Ports, how: str) -> str:
    whose = "each then holds" if how == "will" else "each that golive closes before the target does then holds"
    return (
        f"Local ports {how} run out. Connections ({in_words(plan.sending.connection)}) end up to {closed_per_s:,.0f} "
        f"times a second; {whose} its port for {ports.held_s:g} s (TIME_WAIT). "
        f"{ports} has {ports.count:,}, enough for {ports.count / ports.held_s:,.0f} a second."
    )


def _addresses(url: str) -> list[str]:
    """What the target's name stands for, of the family that comes first; none when it cannot be resolved."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname or "", parts.port or 80, type=socket.SOCK_STREAM)
    except OSError:
        return []
    return list(dict.fromkeys(str(address[0]) for family, *_, address in found if family == found[0][0]))


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
