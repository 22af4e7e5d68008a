"""A 20-minute record at the full rate: judged in seconds, in the memory of a laptop."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from analysis.evidence import assemble
from analysis.results import read_record
from analysis.timeline import timeline
from slo.evidence import ClientLoad
from tests.analysis.records import T0, Synthetic

pytestmark = [pytest.mark.slow, pytest.mark.alone]  # it measures CPU time

HOLD_S = 1200
PATTERN_S = 5  # so many seconds are made; the rest repeat them
MIX = {"availability": .42, "create": .10, "modify": .07, "cancel": .05, "ota": .14, "in": .04, "out": .04,
       "payment": .06, "reporting": .08}  # fmt: skip
CPU_S = 4.0  # of the 5 s that `golive judge` may take; a second is the report's


def log_normal_ms(t: int) -> tuple[float, ...]:
    """A spread as wide as real latencies have it: 2,000 of HDR's slots in every second."""
    return tuple(np.random.default_rng(t).lognormal(np.log(2.5), 0.6, 6000).tolist())


def write_repeated(folder: Path) -> None:
    """The record of `PATTERN_S` seconds, its lines repeated under later seconds until the hold is full."""
    whole = Synthetic(warm_s=0, hold_s=HOLD_S, rps=31_500, mix=MIX, stopped_at_s=PATTERN_S, latency_ms=log_normal_ms)
    whole.write(folder)
    counts = [json.loads(line) for line in (folder / "seconds.jsonl").read_text().splitlines()]
    hlog = [line for line in (folder / "load.hlog").read_text().splitlines() if line.startswith("Tag=")]
    for later_s in range(PATTERN_S, HOLD_S, PATTERN_S):
        moved = [{**line, "second": line["second"] + later_s, "seq": line["seq"] + later_s} for line in counts]
        with (folder / "seconds.jsonl").open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in moved)
        with (folder / "load.hlog").open("a") as file:
            file.writelines(_moved(line, later_s) + "\n" for line in hlog)
    header = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps({**header, "load_end_unix_s": float(T0 + HOLD_S)}))


def _moved(line: str, later_s: int) -> str:
    tag, second, *rest = line.split(",")
    return ",".join([tag, f"{float(second) + later_s:.3f}", *rest])


def test_a_twenty_minute_record_is_ready_to_be_judged_within_seconds(tmp_path: Path) -> None:
    write_repeated(tmp_path)
    began_s = time.process_time()
    record = read_record(tmp_path)
    evidence, measurement = assemble(record)
    table = timeline(record)
    used_s = time.process_time() - began_s
    assert isinstance(evidence.client, ClientLoad)
    assert evidence.client.answered.total == 31_500 * HOLD_S
    assert measurement.record_gaps == ()
    assert table["ok_rps"].iloc[:HOLD_S].eq(31_500).all()
    assert used_s < CPU_S
