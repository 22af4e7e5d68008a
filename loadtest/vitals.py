"""How a worker process fares: CPU, memory and the throttling of its control group."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Reads this process's own figures; every total counts from the process's or group's beginning."""

    cpu_stat: Path | None

    @classmethod
    def of_this_process(cls) -> Vitals:
        """Find the control group (v2) that this process is in, where there is one."""
        return cls(cpu_stat=_cpu_stat_of_group())

    def read(self) -> dict[str, float]:
        """cpu_s, rss_bytes and open_fds of the process; periods and throttled_periods of its group (0: no quota)."""
        times = os.times()
        throttling = self._throttling()
        return {
            "cpu_s": round(times.user + times.system, 3),
            "rss_bytes": _rss_bytes(),
            "open_fds": _open_fds(),
            "periods": throttling.get("nr_periods", 0),
            "throttled_periods": throttling.get("nr_throttled", 0),
        }

    def _throttling(self) -> dict[str, int]:
        if self.cpu_stat is None:
            return {}
        try:
            lines = self.cpu_stat.read_text().splitlines()
        except OSError:  # the group may be gone while the process is moved
            return {}
        return {name: int(value) for name, _, value in (line.partition(" ") for line in lines)}


def _rss_bytes() -> int:
    """What is resident now; what was at most where no file can be opened: a worker out of handles still reports."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _open_fds() -> int:
    """How many file handles are open, its connections among them; 0 where the kernel does not tell.

    Linux 6.2 and newer tell it as the folder's size; counting thousands of entries would hold up the process.
    """
    try:
        return os.stat("/proc/self/fd").st_size
    except OSError:
        return 0


def _cpu_stat_of_group() -> Path | None:
    """The nearest cpu.stat that knows of throttling, from the process's own group upwards.

    cgroup v2 has one line "0::/path"; v1 names the controller ("4:cpu,cpuacct:/path").
    """
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        roots = {"": ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]}.get(controllers, ["/sys/fs/cgroup/" + controllers])
        if controllers and "cpu" not in controllers.split(","):
            continue
        for root in roots:
            found = _throttling_file(Path(root), path)
            if found:
                return found
    return None


def _throttling_file(root: Path, path: str) -> Path | None:
    group = root / path.lstrip("/")
    while group != root.parent:
        file = group / "cpu.stat"
        if file.is_file() and "nr_throttled" in file.read_text():
            return file
        group = group.parent
    return None
