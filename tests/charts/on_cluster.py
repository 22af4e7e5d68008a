"""The chart's objects on the test cluster: apply some of them, ask the API what it thinks of them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import yaml

from tests.charts.helm import Manifest, helm
from tests.charts.places import CHART, VALUE_SETS

RELEASE = "golive-of-the-tests"
IMAGE = {"repository": "localhost/golive", "tag": "test", "pullPolicy": "Never"}
SMALL = {"cpu": "300m", "memory": "256Mi"}


class Cluster(Protocol):
    """What these tests use of the fixture."""

    def kubectl(self, *words: str) -> str: ...

    def helm(self, *words: str) -> str: ...

    def namespace(self) -> AbstractContextManager[str]: ...

    def load_image(self, tar: Path) -> None: ...


def values_for_tests(**more: Any) -> dict[str, Any]:
    """Values that fit on the test cluster."""
    minimal = yaml.safe_load((VALUE_SETS / "minimal.yaml").read_text())
    run = {**minimal["run"], **more.pop("run", {})}
    return {"image": IMAGE, "run": run, **more}


@contextmanager
def as_file(content: object) -> Iterator[str]:
    """A JSON file of this content, for as long as a command reads it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "content.json"
        path.write_text(json.dumps(content))
        yield str(path)


def rendered_for(cluster: Cluster, namespace: str, values: Mapping[str, Any]) -> list[Manifest]:
    """What the chart would install there."""
    version = json.loads(cluster.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    with as_file(values) as path:
        text = helm("template", RELEASE, CHART, "--namespace", namespace, "--kube-version", version, "--values", path)
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def apply(cluster: Cluster, objects: Iterable[Mapping[str, Any]], *words: str) -> str:
    """Apply these objects, strictly."""
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    with as_file(listed) as path:
        return cluster.kubectl("apply", "--validate=strict", "-f", path, *words)
