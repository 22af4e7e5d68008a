"""The cluster's network namespace, the cable to it, and the two routes by which the host reaches pods and services."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.addresses import (
    CABLE,
    HOST_ADDRESS,
    NAMESPACE,
    NODE_ADDRESS,
    PODS,
    PREFIX,
    SERVICES,
)
from tests.cluster.commands import call, succeeds

HANDLE = Path("/run/netns") / NAMESPACE
_REMEDY = "Run `make cluster-down`; if that does not help, see `ip route` and `ip netns` for who has these names."


def lay() -> None:
    """Make the namespace, the cable and the routes."""
    _ip("netns", "add", NAMESPACE)
    _ip("link", "add", CABLE, "type", "veth", "peer", "name", "eth0", "netns", NAMESPACE)
    _ip("addr", "add", f"{HOST_ADDRESS}/{PREFIX}", "dev", CABLE)
    _ip("link", "set", CABLE, "up")
    _ip("-n", NAMESPACE, "link", "set", "lo", "up")
    _ip("-n", NAMESPACE, "addr", "add", f"{NODE_ADDRESS}/{PREFIX}", "dev", "eth0")
    _ip("-n", NAMESPACE, "link", "set", "eth0", "up")
    _ip("-n", NAMESPACE, "route", "add", "default", "via", HOST_ADDRESS)
    for subnet in (PODS, SERVICES):
        _ip("route", "add", subnet, "via", NODE_ADDRESS)


def remove() -> None:
    """Take all of it away, whatever is there of it; the routes go with the cable."""
    if CABLE in _links():
        succeeds(["ip", "link", "del", CABLE])
    if HANDLE.exists():
        succeeds(["ip", "netns", "del", NAMESPACE])
    # `ip netns` makes the folder a mount, and makes it again when it needs it.
    if HANDLE.parent.is_dir() and not any(HANDLE.parent.iterdir()):
        succeeds(["umount", str(HANDLE.parent)])


def leftovers() -> list[str]:
    """What of it is there now."""
    found = [f"network namespace {NAMESPACE}"] if HANDLE.exists() else []
    if CABLE in _links():
        found.append(f"network cable {CABLE}")
    routes = json.loads(_ip("-j", "route"))
    found += [f"route to {route['dst']}" for route in routes if route["dst"] in (PODS, SERVICES)]
    return found


def _links() -> set[str]:
    return {str(link["ifname"]) for link in json.loads(_ip("-j", "link"))}


def _ip(*words: str) -> str:
    return call(["ip", *words], remedy=_REMEDY)
