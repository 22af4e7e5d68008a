"""`make bench-control-plane`: how many workers one master leads, and what it costs."""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from loadtest.loopback import HeldPort, free_port
from loadtest.processes import WebUi
from tests.bench_control_plane.stand import Seen, Setting, loading_since, pause, stand

SETTLED_AFTER_S = 5.0  # of the load: before it, everything starts


@dataclass
class Sampler:
    """Looks at the master twice a second while the load is on, and asks its two pages once a second."""

    setting: Setting
    cpu: list[tuple[float, float]] = field(default_factory=list)
    rss_bytes: list[int] = field(default_factory=list)
    written: list[tuple[float, int]] = field(default_factory=list)
    page_s: list[float] = field(default_factory=list)
    ui_s: list[float] = field(default_factory=list)
    _browser: urllib.request.OpenerDirector | None = None

    def __call__(self, pid: int, folder: Path) -> None:
        """One look."""
        since = loading_since(folder)
        until = since + self.setting.hold_s
        if since and since + SETTLED_AFTER_S < time.time() < until:
            self._look(psutil.Process(pid), folder)
        pause()

    def _look(self, master: psutil.Process, folder: Path) -> None:
        times = master.cpu_times()
        self.cpu.append((time.monotonic(), times.user + times.system))
        self.rss_bytes.append(master.memory_info().rss)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        self.written.append((time.monotonic(), size))
        if len(self.cpu) % 4 == 0:  # every two seconds
            self.page_s.append(took_s(lambda: fetched(f"http://{self.setting.metrics}/metrics")))
            self.ui_s.append(took_s(self._stats))

    def _stats(self) -> None:
        assert self.setting.ui
        base = f"http://127.0.0.1:{self.setting.ui.port}"
        if self._browser is None:
            self._browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            form = {"username": "golive", "password": self.setting.ui.password}
            self._browser.open(base + "/golive-login", data=urllib.parse.urlencode(form).encode(), timeout=30).close()
        with self._browser.open(base + "/stats/requests", timeout=30) as answer:
            json.loads(answer.read())


def took_s(call: Any) -> float:
    """How long a call takes; NaN when it fails."""
    began_s = time.monotonic()
    try:
        call()
    except OSError:
        return float("nan")
    return time.monotonic() - began_s


def fetched(url: str) -> bytes:
    """A page."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


def slope(pairs: list[tuple[float, float]] | list[tuple[float, int]]) -> float:
    """Growth a second between the first and the last look."""
    if len(pairs) < 2:
        return float("nan")
    (first_s, first), (last_s, last) = pairs[0], pairs[-1]
    return (last - first) / (last_s - first_s)


def row(setting: Setting, sampler: Sampler, seen: Seen) -> dict[str, Any]:
    """One line of the table."""
    delays = np.array([delay for fleet in seen.fleets for delay in fleet["acknowledged_after_ms"]] or [np.nan])
    reports = sum(fleet["reports"] for fleet in seen.fleets)
    return {
        "workers": setting.workers,
        "rps_per_worker": setting.rps_per_worker,
        "requests_per_s": setting.workers * setting.rps_per_worker,
        "master_cpu_cores": round(slope(sampler.cpu), 3),
        "master_us_per_report": round(slope(sampler.cpu) / setting.workers * 1e6),
        "fleet_cpu_cores": round(sum(fleet["cpu_s"] for fleet in seen.fleets) / setting.hold_s, 2),
        "master_rss_mb": round(max(sampler.rss_bytes, default=0) / 1e6),
        "acknowledged_p50_ms": round(float(np.percentile(delays, 50)), 1),
        "acknowledged_p99_ms": round(float(np.percentile(delays, 99)), 1),
        "acknowledged_max_ms": round(float(delays.max()), 1),
        "written_mb_per_s": round(slope(sampler.written) / 1e6, 2),
        "metrics_page_ms": round(float(np.nanmedian(sampler.page_s or [np.nan])) * 1000, 1),
        "ui_stats_ms": round(float(np.nanmedian(sampler.ui_s or [np.nan])) * 1000, 1),
        "leases_lapsed": sum(fleet["lapses"] for fleet in seen.fleets),
        "reports_sent": reports,
        "reports_needed": len(delays),
        "lost_workers": len(seen.events("worker_lost")),
        "ended": next((event["because"] for event in seen.events("load_ended")), seen.master_log[-300:]),
        "exact": seen.sent() == seen.recorded(),
    }


@contextmanager
def scraping(setting: Setting, per_s: float) -> Iterator[None]:
    """Ask for the metrics page so often while it lasts."""
    over = threading.Event()

    def ask() -> None:
        while per_s and not over.wait(1 / per_s):
            took_s(lambda: fetched(f"http://{setting.metrics}/metrics"))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def judged(folder: Path) -> dict[str, Any]:
    """What it takes to judge the record that came of it."""
    began_s = time.monotonic()
    command = [str(Path(sys.executable).with_name("golive")), "judge", str(folder)]
    with (folder.parent / "judge.log").open("wb") as log:
        judge = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(judge.pid, 0)
        judge.returncode = os.waitstatus_to_exitcode(status)
    return {
        "judge_exit": judge.returncode,
        "judge_s": round(time.monotonic() - began_s, 1),
        "judge_cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "judge_peak_mb": round(used.ru_maxrss / 1024),
        "histograms": sum(1 for _ in (folder / "load.hlog").open("rb")),
    }


def main() -> None:
    """Measure each number of workers and print a table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--workers", default="50,200,500,1000")
    asked.add_argument("--rps", type=int, default=1000, help="requests a second of each worker")
    asked.add_argument("--seconds", type=int, default=30)
    asked.add_argument("--processes", type=int, default=1, help="that the simulated workers are shared among")
    asked.add_argument("--scrapes", type=float, default=0.0, help="of the metrics page, a second")
    asked.add_argument("--out", type=Path, default=Path("results/bench/control-plane.json"))
    told = asked.parse_args()
    print(f"{platform.node()}, {os.cpu_count()} cores, Linux {platform.release()}, {time.strftime('%F %R')} UTC")  # noqa: T201
    rows = []
    for workers in map(int, told.workers.split(",")):
        metrics = HeldPort.take()
        setting = Setting(
            workers=workers, rps_per_worker=told.rps, hold_s=told.seconds, processes=told.processes,
            ui=WebUi(port=free_port(), password=secrets.token_urlsafe(9)), metrics=metrics.address,
        )  # fmt: skip
        metrics.release()
        with tempfile.TemporaryDirectory(prefix="golive-control-plane-") as place, scraping(setting, told.scrapes):
            sampler = Sampler(setting)
            rows.append(row(setting, sampler, stand(setting, Path(place) / "run", sampler)))
            rows[-1] |= {
                "scrapes_per_s": told.scrapes,
                "load_average": os.getloadavg()[0],
                **judged(Path(place) / "run"),
            }
        print(json.dumps(rows[-1]), flush=True)  # noqa: T201
    told.out.parent.mkdir(parents=True, exist_ok=True)
    told.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
