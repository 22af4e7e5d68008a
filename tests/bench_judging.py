"""`make bench-judging`: what `golive judge` costs for long records, each in a process of its own.

Writes synthetic records at 31,500 requests/s, judges each, and prints CPU and the most memory it held, as the kernel
counted them. Nothing here passes or fails. BENCH="10x20m 1x8h" chooses others: workers x hold.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scenarios.files import duration_s
from tests.analysis.long_records import write_long

USUAL = ("1x20m", "10x20m", "1x8h")
NOT_PROVEN = 3  # a synthetic record has no Prometheus


def main(wanted: Sequence[str]) -> None:
    """One line a record."""
    print(f"{'workers x hold':<16}{'histograms':>12}{'record MB':>12}{'CPU s':>10}{'largest MB':>12}")  # noqa: T201
    for size in wanted or USUAL:
        workers, hold = size.split("x")
        with tempfile.TemporaryDirectory(prefix="golive-judging-") as place:
            folder = Path(place) / "run"
            write_long(folder, hold_s=int(duration_s(hold, where=size)), workers=int(workers))
            histograms = sum(1 for _line in (folder / "load.hlog").open()) - 2  # the two lines of its head
            bytes_ = sum(file.stat().st_size for file in folder.iterdir())
            used = judged(folder)
        cpu_s = used.ru_utime + used.ru_stime
        print(  # noqa: T201
            f"{size:<16}{histograms:>12,}{bytes_ / 1e6:>12.0f}{cpu_s:>10.1f}{used.ru_maxrss / 1e3:>12.0f}", flush=True
        )


def judged(folder: Path) -> resource.struct_rusage:
    """What `golive judge` of a record used; it must have come to a verdict."""
    command = [str(Path(sys.executable).with_name("golive")), "judge", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _pid, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != NOT_PROVEN or not (folder / "report.html").exists():
        raise SystemExit(f"`{' '.join(command)}` ended with {process.returncode}, not with a verdict of NOT PROVEN.")
    return used


if __name__ == "__main__":
    main(sys.argv[1:])
