"""Over a bad wire the record of many workers is what they sent: each report once, whatever was lost or came twice."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.bench_control_plane.stand import Setting, stand

pytestmark = [pytest.mark.slow, pytest.mark.alone]  # twelve workers at thousands of requests a second


@pytest.mark.parametrize(
    "losses", [{}, {"reports": 0.15, "repeats": 0.2, "acknowledgements": 0.1}], ids=["good wire", "bad wire"]
)
def test_the_record_holds_what_the_workers_sent(tmp_path: Path, losses: dict[str, float]) -> None:
    setting = Setting(workers=12, rps_per_worker=500, hold_s=12, losses=losses)
    seen = stand(setting, tmp_path / "run", lambda *_: time.sleep(0.2))
    (fleet,) = seen.fleets
    assert seen.sent() == seen.recorded() == 12 * 500 * 12
    assert fleet["lapses"] == 0
    assert fleet["unacknowledged"] <= (12 if losses else 0)  # the very last acknowledgement may be lost
    assert (fleet["lost"] > 0, fleet["repeated"] > 0) == (bool(losses), bool(losses))
    assert len(seen.events("worker_drained")) == 12
    assert seen.events("load_ended")[0]["because"] == "the plan is complete"
