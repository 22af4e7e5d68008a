"""What the cluster is made of, once built: programs, unpacked packages, images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefacts:
    """One folder for one recipe; what is in it never changes."""

    folder: Path

    @property
    def bin(self) -> Path:
        """Kubernetes, kubectl, helm and the addons."""
        return self.folder / "bin"

    @property
    def root(self) -> Path:
        """Debian's containerd, runc and CNI plugins, unpacked."""
        return self.folder / "root"

    @property
    def nettools(self) -> Path:
        """Debian's nft with its libraries, and a wrapper that finds them."""
        return self.folder / "nettools"

    @property
    def images(self) -> Path:
        """Image archives that every cluster has."""
        return self.folder / "img"

    @property
    def path(self) -> str:
        """The PATH of everything on the node."""
        own = (self.nettools / "wrap", self.bin, self.root / "usr/bin", self.root / "usr/sbin")
        return ":".join([*map(str, own), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"])
