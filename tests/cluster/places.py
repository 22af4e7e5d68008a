"""Where the test cluster keeps things: nothing in the repository, all of it below one folder of the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The folder of all clusters, and what is in it."""

    cache: Path

    @property
    def run(self) -> Path:
        """What lives as long as one cluster: logs, kubeconfig, etcd, configuration."""
        return self.cache / "run"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's way in."""
        return self.run / "admin.conf"

    @property
    def logs(self) -> Path:
        """One file for each daemon."""
        return self.run / "log"

    @property
    def certificates(self) -> Path:
        """The authority and all certificates, kept from one cluster to the next."""
        return self.cache / "pki"

    @property
    def images(self) -> Path:
        """The images that containerd has unpacked, kept from one cluster to the next."""
        return self.cache / "containerd"

    @property
    def made_of(self) -> Path:
        """Says which artefacts this cluster was made of."""
        return self.run / "made-of"

    @property
    def for_tests(self) -> Path:
        """Exists when a test session brought the cluster up: then it goes with the last of them."""
        return self.run / "for-tests"

    @property
    def ready_mark(self) -> Path:
        """Exists when `up` went through to its end."""
        return self.run / "ready"


def places() -> Places:
    """The folders of this user on this machine."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Places(cache=Path(root) / "golive" / "cluster")
