"""The cluster as a test uses it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.addresses import ALERTMANAGER_SERVICE, PROMETHEUS_SERVICE
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.commands import call
from tests.cluster.places import Places
from tests.cluster.processes import within

PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A cluster that is up."""

    places: Places
    artefacts: Artefacts
    prometheus_url: str = f"http://{PROMETHEUS_SERVICE}:9090"  # from the host
    alertmanager_url: str = f"http://{ALERTMANAGER_SERVICE}:9093"
    prometheus_url_in_cluster: str = "http://prometheus.monitoring:9090"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.places.kubeconfig

    @property
    def bin(self) -> Path:
        """Where kubectl and helm are."""
        return self.artefacts.bin

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl, helm and golive need to know of it."""
        path = f"{self.bin}:{os.environ.get('PATH', '')}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl wrote to its standard output; HarnessError when it failed."""
        return self._call("kubectl", words, stdin)

    def helm(self, *words: str, stdin: str | None = None) -> str:
        """What helm wrote to its standard output; HarnessError when it failed."""
        return self._call("helm", words, stdin)

    def apply(self, *objects: Mapping[str, object]) -> None:
        """Have these objects, as kubectl apply does."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(items))

    @contextmanager
    def namespace(self, prefix: str = "test", labels: Mapping[str, str] | None = None) -> Iterator[str]:
        """A fresh namespace, gone afterwards (its pods a moment later)."""
        name = f"{prefix}-{secrets.token_hex(3)}"
        about = {"name": name, "labels": dict(labels or {})}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        try:
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false")

    def load_image(self, archive: Path) -> None:
        """Have an image (docker or OCI archive) on the node."""
        self.ctr("images", "import", str(archive.resolve()))

    def images(self) -> Sequence[str]:
        """The images on the node, by name."""
        return [name for name in self.ctr("images", "ls", "-q").split() if not name.startswith("sha256:")]

    def ctr(self, *words: str) -> str:
        """containerd's own client, inside."""
        command = within(self.places, self.artefacts.root / "usr/bin/ctr", "-n", "k8s.io", *words)
        return call(command, remedy=f"See {self.places.logs / 'containerd.log'}.", within_s=PATIENCE_S)

    def _call(self, program: str, words: Sequence[str], stdin: str | None) -> str:
        remedy = "Is the cluster up (`python -m tests.cluster status`)?"
        command: list[str | Path] = [self.bin / program, *words]
        return call(command, remedy=remedy, within_s=PATIENCE_S, environment=self.environment, stdin=stdin)
