"""A machine within the machine: network, mounts, processes and cgroups of its own, where clusters may be killed.

Tests of going up and down use it, so that nobody else's cluster is touched by them.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.cluster.artefacts.build import known
from tests.cluster.cgroups import HIERARCHIES
from tests.cluster.patience import eventually
from tests.cluster.places import REPOSITORY, Places, places

# Enter the cgroup, then namespaces of our own, then see them as if they were all there is.
_ENTER = 'for at in /sys/fs/cgroup/*/"$CGROUP"; do echo $$ > "$at/cgroup.procs"; done; exec "$@"'
_FURNISH = """set -e
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up
for at in /sys/fs/cgroup/*/; do
  name=$(basename "$at")
  umount "$at"
  case $name in
    unified) mount -t cgroup2 cgroup2 "$at" ;;
    systemd) mount -t cgroup -o none,name=systemd cgroup "$at" ;;
    *) mount -t cgroup -o "$name" cgroup "$at" ;;
  esac
done
echo furnished
while :; do sleep 1000 & wait $!; done  # and bury whoever ends, as every first process does
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The inner machine, by its first process."""

    pid: int
    cgroup: str
    cache: Path

    @property
    def places(self) -> Places:
        """Where its cluster keeps things."""
        return Places(cache=self.cache / "golive" / "cluster")

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        """Start a program in it."""
        into = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--uts", "--cgroup"]
        command = ["sh", "-c", _ENTER, "sh", *into, *map(str, words)]
        return subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=self._environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *words: str | Path) -> str:
        """Run a program in it to its end, which must be a good one."""
        with self.start(*words) as process:
            said, _ = process.communicate(timeout=300)
            assert process.returncode == 0, said
        return said

    def cluster(self, word: str) -> str:
        """`python -m tests.cluster WORD`, in it."""
        return self.run(sys.executable, "-m", "tests.cluster", word)

    def kill_up_at(self, line: str) -> None:
        """Bring the cluster up and kill the one who does, with -9, once it has said this."""
        with self.start(sys.executable, "-m", "tests.cluster", "up") as process:
            assert process.stdout
            said = next((text for text in process.stdout if line in text), "")
            assert said, f"never said {line!r}"
            for child in psutil.Process(process.pid).children():
                child.kill()

    def traces(self) -> dict[str, list[str]]:
        """All that can be found of anything in it."""
        found: dict[str, list[str]] = json.loads(self.run(sys.executable, "-m", "tests.cluster.traces"))
        return found

    def _environment(self) -> Mapping[str, str]:
        return {**os.environ, "XDG_CACHE_HOME": str(self.cache), "CGROUP": self.cgroup}


@contextmanager
def machine(cache: Path) -> Iterator[Machine]:
    """A fresh machine that has this checkout's artefacts already."""
    _lend_artefacts(cache)
    cgroup = f"golive-machine-{secrets.token_hex(3)}"
    _make_cgroups(cgroup)
    unshare = ["unshare", "--cgroup", "--net", "--mount", "--pid", "--uts", "--fork", "--kill-child"]
    command = ["sh", "-c", _ENTER, "sh", *unshare, "sh", "-c", _FURNISH]
    environment = {**os.environ, "CGROUP": cgroup}
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "furnished\n"
        (first,) = psutil.Process(holder.pid).children()
        try:
            yield Machine(pid=first.pid, cgroup=cgroup, cache=cache)
        finally:
            holder.kill()  # and with it the first process, and with that all others
            holder.wait()
            eventually(lambda: _remove_cgroups(cgroup), lambda left: not left, within_s=20)


def _lend_artefacts(cache: Path) -> None:
    """Link what is built and fetched, so that only what a cluster makes of it is new."""
    mine = Places(cache=cache / "golive" / "cluster")
    mine.cache.mkdir(parents=True, exist_ok=True)
    built, fetched = known(places()).folder, places().cache.parent / "monitoring-debian"
    for link, to in ((known(mine).folder, built), (cache / "golive" / "monitoring-debian", fetched)):
        if not link.exists():
            link.symlink_to(to)


def _make_cgroups(name: str) -> None:
    for hierarchy in HIERARCHIES.iterdir():
        if hierarchy.is_dir() and not hierarchy.is_symlink():
            (hierarchy / name).mkdir()
            for file in ("cpuset.cpus", "cpuset.mems"):
                if (hierarchy / name / file).exists():
                    (hierarchy / name / file).write_text((hierarchy / file).read_text())


def _remove_cgroups(name: str) -> list[str]:
    """Remove what can be removed; what is left."""
    for root in HIERARCHIES.glob(f"*/{name}"):
        below = sorted((path for path in root.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
        for folder in [*below, root]:
            try:
                folder.rmdir()
            except OSError:
                continue
    return [str(path) for path in HIERARCHIES.glob(f"*/{name}")]
