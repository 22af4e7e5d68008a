"""Locust's own users in one process: HttpUser and FastHttpUser."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

LOCUSTFILE = Path(__file__).with_name("peer_locustfile.py")
USER_VARIABLE = "BENCH_PEERS_USER"
PACE_VARIABLE = "BENCH_PEERS_RPS_OF_A_USER"


def command(_program: str, load: Load) -> list[str]:
    """All users at once, the table as JSON: it is made at the end, the CSV files a second earlier."""
    return [
        sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "-u", str(load.connections), "-r", "1000",
        "-t", f"{load.seconds}s", "--host", load.url.rstrip("/"), "--json-file", str(load.folder / "locust"),
        "--only-summary", "--loglevel", "ERROR", "--stop-timeout", "1",
    ]  # fmt: skip


def environment(load: Load, *, user: str) -> dict[str, str]:
    """Which class the file defines and how fast each user goes; 0 is flat out."""
    return {USER_VARIABLE: user, PACE_VARIABLE: str((load.offered_rps or 0) / load.connections)}


def read(load: Load, _said: str) -> Reported:
    """Its table: how many answers took how many milliseconds, rounded as Locust does."""
    try:
        table = json.loads((load.folder / "locust.json").read_text())
    except (OSError, ValueError) as wrong:
        raise ToolFailed("Locust wrote no table") from wrong
    requests = sum(entry["num_requests"] for entry in table)
    failed = sum(entry["num_failures"] for entry in table)
    times = Counter[float]()
    for entry in table:
        times.update({float(time_ms): count for time_ms, count in entry["response_times"].items()})
    return Reported(
        ok=requests - failed,
        failed=failed,
        p50_ms=percentile_of(times, 0.5),
        p99_ms=percentile_of(times, 0.99),
        p999_ms=percentile_of(times, 0.999),
    )


def percentile_of(times_ms: Mapping[float, int], ratio: float) -> float | None:
    """The least time that so many do not exceed."""
    wanted, counted = ratio * sum(times_ms.values()), 0
    for time_ms in sorted(times_ms):
        counted += times_ms[time_ms]
        if counted >= wanted:
            return time_ms
    return None


HTTP_USER = Tool(
    name="Locust HttpUser",
    package="",
    command=command,
    read=read,
    environment=partial(environment, user="HttpUser"),
)
FAST_HTTP_USER = Tool(
    name="Locust FastHttpUser",
    package="",
    command=command,
    read=read,
    environment=partial(environment, user="FastHttpUser"),
)
