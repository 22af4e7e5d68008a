"""The pinned helm of the test cluster, and what it makes of the chart."""

from __future__ import annotations

import shutil
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.charts.places import CHART, VALUE_SETS
from tests.cluster.artefacts.build import ensure
from tests.cluster.commands import call
from tests.cluster.fixture import BUILT_WITHIN_S
from tests.cluster.places import places

OLDEST_KUBERNETES = "1.28.0"
RELEASE = "golive-20261125t010203z-30k-ab12"
NAMESPACE = "golive"
Manifest = dict[str, Any]
needs_helm = [pytest.mark.slow, pytest.mark.timeout(BUILT_WITHIN_S)]


def helm(*words: str | Path) -> str:
    """What helm says."""
    return call([_program(), *words], remedy="Compare with charts/golive/README.md.")


def value_sets() -> list[str]:
    """Names of the sets of values whose renderings are kept."""
    return sorted(path.stem for path in VALUE_SETS.glob("*.yaml"))


@cache
def rendered(value_set: str) -> str:
    """What would be installed with these values on the oldest Kubernetes, tests included."""
    words = ("--namespace", NAMESPACE, "--kube-version", OLDEST_KUBERNETES)
    return helm("template", RELEASE, CHART, *words, "--values", VALUE_SETS / f"{value_set}.yaml")


def manifests(value_set: str) -> list[Manifest]:
    """The same, read."""
    return [manifest for manifest in yaml.safe_load_all(rendered(value_set)) if manifest]


@cache
def _program() -> Path:
    if not shutil.which("go"):
        pytest.skip("helm is built from its Go module, and there is no `go` on the PATH")
    return ensure(places(), lambda line: print(line, file=sys.stderr)).bin / "helm"  # noqa: T201
