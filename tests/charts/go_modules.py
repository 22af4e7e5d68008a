"""Files out of published Go modules, checked by their hash and kept in the cache."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import StageFailed
from tests.cluster.commands import call
from tests.cluster.places import places

REMEDY = "Go and its module proxy are needed once; the file then stays in the cache."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleFile:
    """One file of one version of one module."""

    module: str
    version: str
    sum: str  # as go.sum writes it
    path: str

    def fetched(self) -> Path:
        """Where it is in the cache, fetched if it is not."""
        kept = places().cache.parent / "kubernetes-openapi" / self.version / Path(self.path).name
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as workshop:
                found = Path(workshop) / kept.name
                found.write_bytes(self._downloaded(Path(workshop)))
                found.replace(kept)
        return kept

    def _downloaded(self, workshop: Path) -> bytes:
        environment = {**os.environ, "GOMODCACHE": str(workshop / "modules"), "GOFLAGS": "-modcacherw", "GOWORK": "off"}
        command = ["go", "mod", "download", "-json", f"{self.module}@{self.version}"]
        told = json.loads(call(command, remedy=REMEDY, folder=workshop, environment=environment, within_s=600))
        if told["Sum"] != self.sum:
            raise StageFailed(
                f"{self.module} {self.version} has the hash {told['Sum']}, not {self.sum}.", remedy="Find out why."
            )
        with zipfile.ZipFile(told["Zip"]) as archive:
            return archive.read(f"{self.module}@{self.version}/{self.path}")
