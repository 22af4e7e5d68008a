"""What golive needs of a cluster's API, in its own words. `api.Api` is the real one; the tests have a fake."""

from __future__ import annotations

from typing import Any, Protocol

Json = dict[str, Any]


class Objects(Protocol):
    """Objects by path, as the API server keeps them. Refusals are loadtest.cluster.errors'."""

    @property
    def context(self) -> str:
        """What this cluster is called."""
        ...

    def get(self, path: str, **query: str) -> Json:
        """Read an object or a list; ApiNotFound where there is none."""
        ...

    def create(self, path: str, body: Json) -> Json:
        """Create an object; ApiConflict when it is there already."""
        ...

    def replace(self, path: str, body: Json) -> Json:
        """Replace an object; ApiConflict when somebody changed it since it was read."""
        ...

    def delete(self, path: str, body: Json | None = None) -> None:
        """Delete an object; one that is gone already is fine."""
        ...
