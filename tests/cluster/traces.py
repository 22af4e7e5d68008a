"""Everything by which a cluster could be noticed on this machine, as JSON: `python -m tests.cluster.traces`."""

from __future__ import annotations

import json
from pathlib import Path

import psutil

from tests.cluster.cgroups import HIERARCHIES
from tests.cluster.commands import call

REMEDY = "Is iproute2 installed?"


def traces() -> dict[str, list[str]]:
    """What there is of each kind, in an order that does not change."""
    me = psutil.Process()
    family = {me.pid, *(process.pid for process in me.parents())}
    links = json.loads(call(["ip", "-j", "link"], remedy=REMEDY))
    rules = call(["ip", "-o", "route", "show", "table", "all"], remedy=REMEDY)
    return {
        "processes": sorted(
            process.info["name"] for process in psutil.process_iter(["name"]) if process.pid not in family
        ),
        "mounts": sorted(line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()),
        "network namespaces": sorted(path.name for path in Path("/run/netns").glob("*")),
        "links": sorted(str(link["ifname"]) for link in links),
        "routes": sorted(line.strip() for line in rules.splitlines()),
        "cgroups": sorted(str(path) for path in HIERARCHIES.rglob("*") if path.is_dir()),
    }


if __name__ == "__main__":
    print(json.dumps(traces()))  # noqa: T201
