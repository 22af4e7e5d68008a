"""Records of long runs at the full rate: some seconds are made, and their lines repeated until the hold is full."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.analysis.records import HLOG_HEAD, Delta, Synthetic

RPS = 31_500
PATTERN_S = 5
GROWS = ("cpu_s", "periods", "throttled_periods")
MIX = {"availability": .42, "create": .10, "modify": .07, "cancel": .05, "ota": .14, "in": .04, "out": .04,
       "payment": .06, "reporting": .08}  # fmt: skip


def log_normal_ms(t: int) -> tuple[float, ...]:
    """A spread as wide as real latencies have it: 2,000 of HDR's slots in every second."""
    return tuple(np.random.default_rng(t).lognormal(np.log(2.5), 0.6, 6000).tolist())


def write_long(folder: Path, *, hold_s: int, workers: int = 1) -> None:
    """Write the record of a whole hold, which is a multiple of `PATTERN_S`; only the pattern is ever in memory."""
    whole = Synthetic(warm_s=0, hold_s=hold_s, rps=RPS, mix=MIX, workers=workers, latency_ms=log_normal_ms)
    whole.write_frame(folder)
    pattern = list(replace(whole, stopped_at_s=PATTERN_S).deltas())
    hlog = [(delta.second, line.split(",", 2)) for delta in pattern for line in delta.hlog]
    with (
        (folder / "seconds.jsonl").open("w") as seconds,
        (folder / "workers.jsonl").open("w") as vitals,
        (folder / "load.hlog").open("w") as log,
    ):
        log.write(HLOG_HEAD)
        for later_s in range(0, hold_s, PATTERN_S):
            for delta in pattern:
                moved = {"second": delta.second + later_s, "seq": delta.seq + later_s}
                seconds.writelines(json.dumps({**line, **moved}) + "\n" for line in delta.counts)
                vitals.write(json.dumps(_vitals(delta, later_s)) + "\n")
            log.writelines(f"{tag},{second + later_s}.000,{rest}" for second, (tag, _second, rest) in hlog)


def _vitals(delta: Delta, later_s: int) -> dict[str, float]:
    """What only grows grows on: the CPU and the scheduler's periods of a worker."""
    grown = {name: value / delta.seq * (delta.seq + later_s) for name, value in delta.vitals.items() if name in GROWS}
    return {**delta.vitals, **grown, "second": delta.second + later_s}
