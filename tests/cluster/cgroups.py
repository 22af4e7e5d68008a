"""The cluster's own root in every cgroup hierarchy, so that pods are limited below it and nothing is left above."""

from __future__ import annotations

import time
from pathlib import Path

HIERARCHIES = Path("/sys/fs/cgroup")
NAME = "golive-cluster"
PATIENCE_S = 5.0


def prepare() -> None:
    """Make the root in every hierarchy (cgroup v1); a cpuset begins empty and would let nothing run."""
    for hierarchy in _hierarchies():
        root = hierarchy / NAME
        root.mkdir(exist_ok=True)
        if (root / "cgroup.clone_children").exists():
            (root / "cgroup.clone_children").write_text("1")
        for name in ("cpuset.cpus", "cpuset.mems"):
            if (root / name).exists():
                (root / name).write_text((hierarchy / name).read_text())


def remove() -> None:
    """Remove the root and all below it; the kernel needs a moment after the last process."""
    until = time.monotonic() + PATIENCE_S
    while leftovers() and time.monotonic() < until:
        for hierarchy in _hierarchies():
            _remove_tree(hierarchy / NAME)
        if leftovers():
            time.sleep(0.1)


def leftovers() -> list[str]:
    """The roots that are there now."""
    return [str(hierarchy / NAME) for hierarchy in _hierarchies() if (hierarchy / NAME).is_dir()]


def _hierarchies() -> list[Path]:
    return sorted(path for path in HIERARCHIES.iterdir() if path.is_dir() and not path.is_symlink())


def _remove_tree(root: Path) -> None:
    below = sorted((path for path in root.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
    for folder in [*below, root]:
        try:
            folder.rmdir()
        except OSError:
            continue
