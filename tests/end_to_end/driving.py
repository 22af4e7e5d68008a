"""Short runs of the command at servers of the tests' own, something done to them meanwhile, and their verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

GOLIVE = Path(sys.executable).with_name("golive")
HOLD_S = 6
RPS = 120
PLAN = f"""\
# a short run for the tests
workload: WORKLOAD
objectives: own.yaml
rate_to_prove_rps: 100
offered_ratio: 1.2
workers: WORKERS
phases:
  - {{name: ramp, duration: 1s, from_share: 0, to_share: 1, judged: false}}
  - {{name: hold, duration: {HOLD_S}s, from_share: 1, to_share: 1}}
sending: SENDING
thresholds: THRESHOLDS
watch_after: 1s
"""
# The machine of the tests is no quiet one: what is not about its noise lets it be.
NOISY = "lag_p99_ms: 400, control_timer_p99_ms: 400"
USUAL = {"WORKLOAD": "get-root", "WORKERS": "2", "SENDING": "{connections: 16}", "THRESHOLDS": f"{{{NOISY}}}"}
OBJECTIVES = """\
- {kind: throughput, name: throughput, at_least_rps: rate-to-prove, window_s: 5}
- {kind: latency, name: p95-latency, quantile_ratio: 0.95, below_ms: 450}
- {kind: latency, name: p99-latency, quantile_ratio: 0.99, below_ms: 900}
- {kind: error_ratio, name: error-rate, below_ratio: 0.04}
"""


def laid_out(folder: Path, url: str, *, target: str = "", **changes: str) -> None:
    """Lay down a plan, its objectives and the list of targets. target: more of the entry."""
    plan = PLAN
    for word, value in {**USUAL, **changes}.items():
        plan = plan.replace(word, value)
    (folder / "short.yaml").write_text(plan)
    (folder / "own.yaml").write_text(OBJECTIVES)
    (folder / "targets.yaml").write_text(f'- {{name: here, url: "{url}", target_class: rehearsal{target}}}\n')


def driven(
    folder: Path,
    *,
    through: tuple[str, ...] = (),
    meanwhile: Callable[[list[psutil.Process]], None] = lambda _workers: None,
) -> dict[str, Any]:
    """Run golive; `meanwhile` gets the worker processes once they send. through: a command that runs the command."""
    command = [*through, str(GOLIVE), "run", "short.yaml", "--target", "here"]
    with (folder / "said.txt").open("w") as said:
        running = subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)
    deadline_s = time.monotonic() + 40
    while not [file for file in folder.glob("results/*/seconds.jsonl") if file.stat().st_size]:
        assert time.monotonic() < deadline_s
        assert running.poll() is None, (folder / "said.txt").read_text()
        time.sleep(0.1)
    children = psutil.Process(running.pid).children(recursive=True)
    meanwhile([child for child in children if "--worker" in child.cmdline()])
    running.wait(90)
    return verdict_of(folder)


def verdict_of(folder: Path) -> dict[str, Any]:
    """The verdict of the only run in a folder."""
    (path,) = folder.glob("results/*/verdict.json")
    return dict(json.loads(path.read_text()))


def outcomes(verdict: dict[str, Any]) -> dict[str, str]:
    """Outcome by objective."""
    return {one["objective"]: one["outcome"] for one in verdict["judgements"]}


def findings(verdict: dict[str, Any]) -> dict[str, str]:
    """What was found, in words, by kind."""
    return {finding["kind"]: finding["what"] for finding in verdict["findings"]}
