"""hey: paces each connection by itself; reports to P99."""

from __future__ import annotations

import re

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

STATUS = re.compile(r"^\s*\[(\d+)\]\s+(\d+) responses", re.MULTILINE)
PERCENTILE = re.compile(r"^\s*(\d+)%+ in ([\d.]+) secs", re.MULTILINE)
ERROR = re.compile(r"^\s*\[(\d+)\]\s+(?!\d+ responses)\S", re.MULTILINE)


def command(program: str, load: Load) -> list[str]:
    """The rate is a connection's, so it is dealt."""
    pace = [] if load.offered_rps is None else ["-q", f"{load.offered_rps / load.connections:.4f}"]
    return [program, "-z", f"{load.seconds}s", "-c", str(load.connections), *pace, load.url]


def read(_load: Load, said: str) -> Reported:
    """Status counts and the latency distribution, in seconds with four decimals."""
    statuses = {int(status): int(count) for status, count in STATUS.findall(said)}
    if not statuses:
        raise ToolFailed("hey printed no status codes")
    at_ms = {int(percent): float(seconds) * 1e3 for percent, seconds in PERCENTILE.findall(said)}
    ok = sum(count for status, count in statuses.items() if status < 400)
    errors = sum(int(count) for count in ERROR.findall(said))
    return Reported(ok=ok, failed=sum(statuses.values()) - ok + errors, p50_ms=at_ms.get(50), p99_ms=at_ms.get(99))


HEY = Tool(name="hey", package="hey", command=command, read=read)
