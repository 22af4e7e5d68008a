"""A process of simulated workers: `python -m tests.bench_control_plane.fleet ORDER.json` writes what they saw."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from tests.bench_control_plane.bodies import pool  # noqa: E402
from tests.bench_control_plane.engine import SilentEngine  # noqa: E402
from tests.bench_control_plane.worker import Losses, SimulatedWorker  # noqa: E402

END_AFTER_S = 60.0  # after the load: a master that never sends its workers home is a result too


def main() -> None:
    """Live as many workers as the order says, then write what they saw."""
    order = json.loads(Path(sys.argv[1]).read_text())
    began_s = time.process_time()
    workers = live(order)
    told = {
        "sent": sum(worker.engine.sent for worker in workers),
        "lapses": sum(worker.engine.lapses for worker in workers),
        "halted": sorted({worker.engine.halted_because() for worker in workers}),
        "unacknowledged": sum(len(worker.side.outbox.pending) for worker in workers),
        "reports": sum(worker.fare.reports for worker in workers),
        "lost": sum(worker.fare.lost for worker in workers),
        "repeated": sum(worker.fare.repeated for worker in workers),
        "acknowledged_after_ms": [delay for worker in workers for delay in worker.fare.acknowledged_after_ms],
        "cpu_s": time.process_time() - began_s,
    }
    Path(order["result"]).write_text(json.dumps(told))


def live(order: dict[str, Any]) -> list[SimulatedWorker]:
    """Connect, report until the master has everything, go home."""
    bodies = pool(order["rps"], seed=order["first"])
    losses = Losses(**order["losses"])
    workers = []
    for index in range(order["first"], order["first"] + order["count"]):
        engine = SilentEngine(bodies=bodies, duration_s=order["duration_s"], chance=random.Random(index))
        workers.append(SimulatedWorker(order["port"], index, engine, losses))
        gevent.sleep(0.001)
    deadline_s = time.monotonic() + order["connect_within_s"] + order["duration_s"] + END_AFTER_S
    for worker in workers:
        worker.left.wait(max(deadline_s - time.monotonic(), 0.0))
    return workers


if __name__ == "__main__":
    main()
