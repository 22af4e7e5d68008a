"""The search for the limit, for real: at a rehearsal platform whose capacity is known."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from loadtest.asked import Asked
from loadtest.run_orders import request_stop
from loadtest.rundown import run_plan
from loadtest.verdicts import conclude
from slo.verdict import Outcome

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(900)]

# Two replicas of reservations-command work off 300 commands a second each, and three requests in ten are such commands:
# 2,000 requests/s are carried. 5 % more is offered than is proved, so up to 1,904 can be met.
CARRIED_RPS = 600 / 0.30 / 1.05
PLAN = """\
# a short search for the tests
workload: ota-heavy
objectives: smoke
rate_to_prove_rps: 1000
search:
  {start_share: 0.8, most_share: 4, growth: 1.6, level: 12s, level_at_most: 20s, ramp: 3s,
   resolution_ratio: 0.25, replicas: fixed}
phases:
  - {name: ramp, duration: 4s, from_share: 0, to_share: 1, judged: false}
  - {name: hold, duration: 20s, from_share: 1, to_share: 1}
watch_after: 20s
"""


def search(folder: Path, **asked: Any) -> tuple[Path, str]:
    plan = folder / "seek.yaml"
    plan.write_text(PLAN)
    order = Asked(
        **{
            "plan": str(plan), "rate_rps": None, "duration": None, "workload": None, "target": None, "prometheus": None,
            "workers": None, "rehearsal": "small", "changes": (), "ui": False, **asked,
        }
    )  # fmt: skip
    return folder / "run", run_plan(order, folder / "run", Console(file=io.StringIO(), width=200))


def test_the_limit_of_a_platform_of_known_capacity_is_found_proved_and_judged_again_offline(tmp_path: Path) -> None:
    folder, ended = search(tmp_path)
    verdict = conclude(folder)
    content = json.loads((folder / "verdict.json").read_text())
    limit, levels = content["limit"], content["levels"]
    assert ended == "complete"
    assert limit["met_rps"] <= CARRIED_RPS
    assert limit["ceiling_rps"] >= CARRIED_RPS * 0.9
    assert "backlog" in next(one["says"]["by"] for one in levels if one["rate_rps"] == limit["ceiling_rps"])
    by_name = {one.objective: one.outcome for one in verdict.judgements}
    assert by_name["limit"] is Outcome.MET
    assert [one["says"]["outcome"] for one in levels] == [one["said_live"] for one in levels]
    assert "The search, level by level" in (folder / "report.html").read_text()


def test_a_search_that_is_stopped_tells_what_it_had_found(tmp_path: Path) -> None:
    def stop_in_the_second_level() -> None:
        events = tmp_path / "run" / "events.jsonl"
        while not events.exists() or '"level":2' not in events.read_text():
            time.sleep(0.5)
        request_stop(tmp_path / "run", by="the test")

    threading.Thread(target=stop_in_the_second_level, daemon=True).start()
    folder, ended = search(tmp_path)
    verdict = conclude(folder)
    content = json.loads((folder / "verdict.json").read_text())
    assert ended == "stopped"
    assert [one["says"]["outcome"] for one in content["levels"]] == ["met"]
    limit = next(one for one in verdict.judgements if one.objective == "limit")
    assert limit.outcome is Outcome.UNPROVEN
    assert "the run was ended before its search had" in limit.because
