"""What the runs on the cluster stand on: the image of the working tree, on the node once a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.access import Cluster
from tests.cluster.rehearsal import Platform
from tests.end_to_end.cluster.grounds import Grounds, grounds_for


@pytest.fixture(scope="session")
def ready(cluster: Cluster, golive_image: Path) -> Cluster:
    """The cluster with golive's image on its node."""
    digest = hashlib.sha256(str(golive_image.resolve()).encode()).hexdigest()[:12]
    mark = cluster.places.run / f"loaded-golive-{digest}"
    if not mark.exists():
        cluster.load_image(golive_image)
        mark.touch()
    return cluster


@pytest.fixture
def grounds(ready: Cluster, tmp_path: Path) -> Iterator[Callable[[Platform], Grounds]]:
    """Deploys a platform of one's choice and gives the grounds for runs on it."""
    with ExitStack() as held:
        yield lambda platform: held.enter_context(grounds_for(ready, tmp_path, platform))
