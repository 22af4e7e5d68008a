"""A CPU control group (v1 or v2) of the tests' own, for golive's workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

V1 = Path("/sys/fs/cgroup/cpu")


@dataclass(frozen=True)
class ControlGroup:
    """Without a limit until it is given one."""

    path: Path

    def take_workers(self, folder: Path) -> None:
        """Have Locust's workers join it as they start, once `folder` is on the PYTHONPATH."""
        (folder / "sitecustomize.py").write_text(
            "import os, sys\n"
            "if '--worker' in sys.orig_argv:\n"
            f"    open({str(self.path / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
        )

    def limit(self) -> None:
        """No more than 2 % of a core."""
        self._set(v1=("cpu.cfs_quota_us", "2000"), v2=("cpu.max", "2000 100000"))

    def _set(self, *, v1: tuple[str, str], v2: tuple[str, str]) -> None:
        name, value = v1 if V1.is_dir() else v2
        (self.path / name).write_text(value)


@contextmanager
def a_control_group() -> Iterator[ControlGroup]:
    """One for the while; skips where none can be made."""
    path = (V1 if V1.is_dir() else Path("/sys/fs/cgroup")) / f"golive-test-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as refused:
        pytest.skip(f"no control group can be made here: {refused}")
    if not (path / ("cpu.shares" if V1.is_dir() else "cpu.max")).exists():
        path.rmdir()
        pytest.skip("the CPU controller is not given to new control groups here")
    try:
        yield ControlGroup(path)
    finally:
        path.rmdir()
