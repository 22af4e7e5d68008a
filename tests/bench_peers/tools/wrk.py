"""wrk: closed loop only; a script that only reports at the end adds the P99.9 that its own output lacks."""

from __future__ import annotations

import re

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

REPORT = """done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("golive ok=%d failed=%d p50=%d p99=%d p999=%d\\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""
SAID = re.compile(r"golive ok=(\d+) failed=(\d+) p50=(\d+) p99=(\d+) p999=(\d+)")


def command(program: str, load: Load) -> list[str]:
    """One thread, so many connections."""
    script = load.folder / "report.lua"
    script.write_text(REPORT)
    return [program, "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", str(script), load.url]


def read(_load: Load, said: str) -> Reported:
    """Its own summary in microseconds, printed by the script."""
    found = SAID.search(said)
    if not found:
        raise ToolFailed("wrk printed no summary")
    requests, failed, p50_us, p99_us, p999_us = map(int, found.groups())
    return Reported(
        ok=requests - failed, failed=failed, p50_ms=p50_us / 1e3, p99_ms=p99_us / 1e3, p999_ms=p999_us / 1e3
    )


WRK = Tool(name="wrk", package="wrk", command=command, read=read, paces=False)
