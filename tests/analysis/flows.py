"""A record of a run with a flow in it: ten journeys a second beside ten single requests, exact in every count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scenarios.workload import Flow, JsonExists, Poll, Request, Step, Workload
from tests.analysis.records import T0, Synthetic, encoded

SEEN = Poll(until=(JsonExists("/id"),))
ORDER = Flow(
    name="order",
    weight=3,
    steps=(
        Step(Request(name="search", method="GET", path="/")),
        Step(Request(name="buy", method="POST", path="/", writes=True)),
        Step(Request(name="shown", method="GET", path="/"), poll=SEEN),
    ),
)
WORKLOAD = Workload(name="shop", requests=(Request(name="home", method="GET", path="/"),), flows=(ORDER,))


def write_flows(
    folder: Path, *, broken: int = 0, kind: str = "capture", missing: int = 0, why: str = "effect missing"
) -> Path:
    """The record. In each second `broken` journeys fail at `buy`, and `missing` at what they wait for."""
    run = Synthetic(mix={"home": 1, "order/search": 1}, rps=20, plan_changes={"workload": WORKLOAD})
    run.write(folder)
    due = [[10, 10, 0, 0]] * run.duration_s
    (folder / "due.json").write_text(json.dumps({"format": 1, "seconds": due}))
    bought = 10 - broken
    with (folder / "seconds.jsonl").open("a") as counts, (folder / "load.hlog").open("a") as log:
        for second in range(T0, T0 + run.duration_s):
            for name, asked, failed, by in (
                ("order/buy", 10, broken, kind),
                ("order/shown", 3 * bought, missing, why),
            ):
                counts.write(json.dumps(_line(second, name, asked, {by: failed} if failed else {})) + "\n")
                _log(log, second, name, asked - failed, 6000)
                _log(log, second, f"{name}!failed", failed, 6000)
            never = missing if why == "effect missing" else 0
            _log(log, second, "order/shown!visible", bought - never, 250_000)
            _log(log, second, "order/shown!missing", never, 30_000_000)
    return folder


def _line(second: int, name: str, asked: int, failed: dict[str, int]) -> dict[str, Any]:
    return {
        "second": second, "request": name, "due": asked, "sent": asked, "ok": asked - sum(failed.values()),
        "failed": failed, "unavailable": 0, "unsent": 0, "sent_bytes": 1, "received_bytes": 1, "worker": 0,
        "seq": second - T0 + 1,
    }  # fmt: skip


def _log(log: Any, second: int, tag: str, count: int, time_us: int) -> None:
    if count:
        log.write(f"Tag={tag},{second}.000,1.000,0.000,{encoded(((time_us, count),))}\n")
