"""Helm, as a process: installs the chart for one run and takes it away again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from loadtest.cluster.errors import HelmFailed
from scenarios.errors import PreflightFailed

CHART = Path(__file__).parents[2] / "charts" / "golive"
OLDEST = (3, 12)
TIMEOUT_S = 120
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Helm:
    """Helm against one context and namespace."""

    context: str
    namespace: str

    def check(self) -> None:
        """Raise PreflightFailed when there is no usable helm, or no chart."""
        if not shutil.which("helm"):
            raise PreflightFailed("There is no `helm` on the PATH.", remedy="Install Helm 3.12 or newer.")
        found = re.search(r"v(\d+)\.(\d+)", self._run("version", "--short"))
        if not found or (int(found[1]), int(found[2])) < OLDEST:
            raise PreflightFailed(f"This helm is {found[0] if found else 'unknown'}.", remedy="Install 3.12 or newer.")
        if not (CHART / "Chart.yaml").is_file():
            raise PreflightFailed(f"The chart is not at {CHART}.", remedy="Run golive from its checkout.")

    def install(self, release: str, values: Mapping[str, Any], *, more_values: tuple[Path, ...] = ()) -> None:
        """Install the chart. The user's own values files come first: what golive computes wins."""
        with _written(values, more_values) as words:
            self._run("install", release, str(CHART), *words, "--timeout", f"{TIMEOUT_S}s")

    def render(
        self, release: str, values: Mapping[str, Any], *, more_values: tuple[Path, ...] = (), kubernetes: str
    ) -> list[Json]:
        """The objects that `install` would make on a cluster of this version (helm asks no cluster for a template)."""
        with _written(values, more_values) as words:
            text = self._run("template", release, str(CHART), *words, "--kube-version", kubernetes)
        return [found for found in yaml.safe_load_all(text) if found]

    def uninstall(self, release: str) -> None:
        """Take a release away; one that is gone already is fine."""
        self._run("uninstall", release, "--ignore-not-found", "--wait", "--timeout", f"{TIMEOUT_S}s")

    def releases(self) -> list[str]:
        """golive's releases in this namespace."""
        return self._run("list", "--short", "--all", "--filter", "^golive-").split()

    def _run(self, *words: str) -> str:
        where = ["--kube-context", self.context, "--namespace", self.namespace]
        try:
            done = subprocess.run(
                ["helm", *words, *where], capture_output=True, text=True, timeout=TIMEOUT_S + 30,
                stdin=subprocess.DEVNULL, env=dict(os.environ), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise HelmFailed(f"helm {words[0]} did not end in time.", remedy="Is the cluster well?") from None
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-5:])
            raise HelmFailed(f"helm {words[0]} failed: {said}", remedy="Mend what it names, then run again.")
        return done.stdout


@contextmanager
def _written(values: Mapping[str, Any], more_values: tuple[Path, ...]) -> Iterator[list[str]]:
    """The values as helm takes them: files, read in this order, that are gone afterwards. They hold no secret."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.json"
        file.write_text(json.dumps(values), encoding="utf-8")
        yield [word for path in (*more_values, file) for word in ("--values", str(path))]
