"""Have the artefacts of this checkout's recipe: from the cache, or built."""

from __future__ import annotations

from collections.abc import Callable

from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.places import Places


def ensure(places: Places, say: Callable[[str], None]) -> Artefacts:
    return Artefacts(folder=places.cache / "dev")
