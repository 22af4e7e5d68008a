"""`make bench`: the figures of docs/benchmarks.md, measured on this machine, with how quiet it was.

Runs the main job for a minute of hold (BENCH_HOLD=3m for the whole one), and prints what each figure was and what it
is held against. Nothing here passes or fails: speeds are read, not asserted.
"""

from __future__ import annotations

import os
import platform
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil
from rich.console import Console

from analysis.evidence import assemble
from analysis.results import read_record
from loadtest.asked import Asked
from loadtest.rundown import run_plan
from loadtest.verdicts import conclude
from slo.evidence import ClientLoad

HOLD = os.environ.get("BENCH_HOLD", "60s")
RATE_RPS = float(os.environ.get("BENCH_RATE", "30000"))


@dataclass
class Sampler:
    """Follows the CPU of the rehearsal platform, which is a process of the stage."""

    cpu_s: dict[float, float] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Sample twice a second until stopped."""
        while not self.stop.wait(0.5):
            for child in psutil.Process().children(recursive=True):
                try:
                    if child.name().startswith("golive-rehears"):
                        times = child.cpu_times()
                        self.cpu_s[time.time()] = times.user + times.system
                except psutil.NoSuchProcess:
                    continue

    def between(self, start_unix_s: float, end_unix_s: float) -> float:
        """CPU seconds spent in a window."""
        inside = [cpu_s for at, cpu_s in sorted(self.cpu_s.items()) if start_unix_s <= at <= end_unix_s]
        return inside[-1] - inside[0] if inside else float("nan")


def cpu_of_workers(workers: pd.DataFrame, start_unix_s: float, end_unix_s: float) -> float:
    """CPU seconds of the worker processes, Locust included, in a window."""
    held = workers[(workers["second"] >= start_unix_s) & (workers["second"] < end_unix_s)]
    spent = held.groupby("worker")["cpu_s"].agg(lambda values: values.max() - values.min())
    return float(spent.sum())


def main() -> None:
    """Run, judge, print."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="golive-bench-")) / "run"
    sampler = Sampler()
    threading.Thread(target=sampler.run, daemon=True).start()
    asked = Asked(
        plan="30k", rate_rps=RATE_RPS, duration=HOLD, workload=None, target=None, prometheus=None, workers=None,
        rehearsal="tartware", changes=(), ui=False,
    )  # fmt: skip
    run_plan(asked, folder, console)
    sampler.stop.set()
    ended_s = read_record(folder).header.load_end_unix_s or time.time()
    began_s = time.perf_counter()
    verdict = conclude(folder)
    judged_s = time.perf_counter() - began_s
    report(console, folder, sampler, {"judge": judged_s, "load end to report": time.time() - ended_s})
    console.print(f"throughput objective: {verdict.judgements[0].outcome.name}")


def report(console: Console, folder: Path, sampler: Sampler, spans_s: dict[str, float]) -> None:
    """One line a figure."""
    record = read_record(folder)
    evidence, measurement = assemble(record)
    assert isinstance(evidence.client, ClientLoad)
    hold, sent, due = evidence.hold, int(evidence.client.sent.sum()), int(evidence.client.due.sum())
    worker_s = cpu_of_workers(record.workers, hold.start_unix_s, hold.end_unix_s)
    platform_s = sampler.between(hold.start_unix_s, hold.end_unix_s)
    timer_us = max(worker.control_timer_p99_us for worker in measurement.workers)
    lines = {
        "machine": f"{platform.node()}, {os.cpu_count()} cores, Linux {platform.release()}",
        "quiet (control timer P99)": f"{timer_us / 1000:.2f} ms (quiet: below 1 ms)",
        "hold": f"{hold.duration_s:.0f} s, {due:,} due",
        "sent / due": f"{sent / due:.6f} (≥ 0.9999)",
        "schedule lag P50, P99": f"{measurement.lag_p50_us / 1000:.2f} ms (≤ 0.5), "
        f"{measurement.lag_p99_us / 1000:.2f} ms (≤ 5)",
        "worker CPU a request": f"{worker_s / sent * 1e6:.1f} µs, Locust included (≤ 18)",
        "platform CPU a request": f"{platform_s / sent * 1e6:.1f} µs (≤ 20)",
        "worker memory, largest": f"{record.workers['rss_bytes'].max() / 1e6:.0f} MB (≤ 200)",
        **{f"{name}": f"{span_s:.1f} s" for name, span_s in spans_s.items()},
    }
    for name, value in lines.items():
        console.print(f"{name + ':':<28} {value}", highlight=False)


if __name__ == "__main__":
    main()
