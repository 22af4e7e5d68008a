"""oha, as it comes and with its correction for coordinated omission."""

from __future__ import annotations

import json
from functools import partial

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed


def command(program: str, load: Load, *, corrected: bool) -> list[str]:
    """JSON instead of the screen; the correction applies to paced load only."""
    pace = [] if load.offered_rps is None else ["-q", str(load.offered_rps)]
    correction = ["--latency-correction"] if corrected else []
    protocol = ["--http2", "-p", str(load.streams)] if load.streams else []
    shown = ["--no-tui", "--output-format", "json"]
    asked = ["-z", f"{load.seconds}s", "-c", str(load.connections), *protocol, *pace, *correction]
    return [program, *shown, *asked, load.url]


def read(_load: Load, said: str) -> Reported:
    """Its JSON, in seconds."""
    try:
        found = json.loads(said[said.index("{") :])
    except ValueError as wrong:
        raise ToolFailed("oha printed no JSON") from wrong
    statuses = found["statusCodeDistribution"]
    ok = sum(count for status, count in statuses.items() if int(status) < 400)
    # "aborted due to deadline" is what was in flight at the end: none of the server's failures.
    errors = sum(count for kind, count in found["errorDistribution"].items() if "deadline" not in kind)
    at = found["latencyPercentiles"]
    return Reported(
        ok=ok,
        failed=sum(statuses.values()) - ok + errors,
        p50_ms=at["p50"] * 1e3,
        p99_ms=at["p99"] * 1e3,
        p999_ms=at["p99.9"] * 1e3,
    )


OHA = Tool(name="oha", package="oha", command=partial(command, corrected=False), read=read, http2=True)
OHA_CORRECTED = Tool(
    name="oha --latency-correction",
    package="oha",
    command=partial(command, corrected=True),
    read=read,
    flat_out=False,
)
