"""An image archive as a file system on disk, and programs run in it as a pod runs them: its user, its environment, a
root that cannot be written."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scripts.image.paths import images

# What a kubelet gives a container with readOnlyRootFilesystem and an emptyDir at /tmp, as far as the folders exist.
AS_A_POD = """
set -e
mount --bind "$0" "$0"
mount -o remount,bind,ro "$0"
[ ! -d "$0/tmp" ] || mount -t tmpfs tmpfs "$0/tmp"
[ ! -d "$0/proc" ] || mount -t proc proc "$0/proc"
[ ! -d "$0/dev" ] || mount --bind /dev "$0/dev"
exec "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """One image: its files, its configuration, and which files each layer brought."""

    root: Path
    config: dict[str, Any]
    layers: tuple[frozenset[str], ...]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in it."""
        enter = ["unshare", "--mount", "--propagation", "private", "bash", "-c", AS_A_POD, str(self.root)]
        chroot = ["/usr/sbin/chroot", f"--userspec={self.config['User']}", str(self.root)]
        words = [*enter, "env", "-i", *self.config.get("Env", []), *chroot, *command]
        return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)

    def find(self, pattern: str) -> list[Path]:
        """Files below the root, as paths from it."""
        return [path.relative_to(self.root) for path in sorted(self.root.rglob(pattern))]


@contextmanager
def unpacked(archive: Path) -> Iterator[Unpacked]:
    """Lay an archive out for a while."""
    with TemporaryDirectory(dir=images(), prefix="unpacked-") as workshop:
        root = Path(workshop) / "root"
        root.mkdir()
        with tarfile.open(archive) as tar:
            (manifest,) = json.loads(read(tar, "manifest.json"))
            config = json.loads(read(tar, manifest["Config"]))["config"]
            layers = tuple(lay(tar, name, root) for name in manifest["Layers"])
        yield Unpacked(root=root, config=config, layers=layers)


def read(tar: tarfile.TarFile, name: str) -> bytes:
    content = tar.extractfile(name)
    assert content is not None
    return content.read()


def lay(tar: tarfile.TarFile, name: str, root: Path) -> frozenset[str]:
    """Unpack one layer over what is there, as root: owners and modes are the image's."""
    layer = tar.extractfile(name)
    assert layer is not None
    with tarfile.open(fileobj=layer) as files:
        members = files.getmembers()
        assert not [member for member in members if Path(member.name).name.startswith(".wh.")], "a layer removes files"
        files.extractall(root, members, filter="fully_trusted")
    return frozenset(member.name.removeprefix("./") for member in members if member.isfile())
