"""k6: virtual users in JavaScript; drops what it cannot begin in time and says how many."""

from __future__ import annotations

import json
from typing import Any

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

SCRIPT = """import http from 'k6/http';
export const options = {
  discardResponseBodies: true,
  scenarios: { only: %s },
};
export default function () { http.get('%s'); }
"""
USERS_AT_MOST = 1000


def command(program: str, load: Load) -> list[str]:
    """Nothing leaves the machine: no usage report."""
    script = load.folder / "script.js"
    script.write_text(SCRIPT % (json.dumps(scenario(load)), load.url))
    return [
        program, "run", "-q", "--no-usage-report", "--summary-trend-stats", "p(50),p(99),p(99.9)",
        "--summary-export", str(load.folder / "k6.json"), str(script),
    ]  # fmt: skip


def scenario(load: Load) -> dict[str, Any]:
    """Constant users flat out, constant arrivals when paced."""
    duration = f"{load.seconds}s"
    if load.offered_rps is None:
        return {"executor": "constant-vus", "vus": load.connections, "duration": duration, "gracefulStop": "1s"}
    return {
        "executor": "constant-arrival-rate", "rate": load.offered_rps, "timeUnit": "1s", "duration": duration,
        "preAllocatedVUs": load.connections, "maxVUs": USERS_AT_MOST, "gracefulStop": "1s",
    }  # fmt: skip


def read(load: Load, _said: str) -> Reported:
    """Its summary in milliseconds."""
    try:
        metrics = json.loads((load.folder / "k6.json").read_text())["metrics"]
    except (OSError, ValueError) as wrong:
        raise ToolFailed("k6 exported no summary") from wrong
    requests = int(metrics["http_reqs"]["count"])
    failed = int(metrics["http_req_failed"]["passes"])  # of a rate, "passes" are those that were true
    dropped = int(metrics.get("dropped_iterations", {}).get("count", 0))
    at = metrics["http_req_duration"]
    return Reported(
        ok=requests - failed,
        failed=failed,
        p50_ms=at["p(50)"],
        p99_ms=at["p(99)"],
        p999_ms=at["p(99.9)"],
        note=f"{dropped:,} dropped" if dropped else "",
    )


K6 = Tool(name="k6", package="k6", command=command, read=read)
