"""A Kubernetes API in memory: objects by path, resource versions, and the refusals that golive must live with."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from loadtest.cluster.errors import ApiConflict, ApiForbidden, ApiNotFound

Json = dict[str, Any]


@dataclass
class FakeApi:
    """Answers as the real one does where golive asks (tests/loadtest/cluster/test_api_contract.py holds both to it)."""

    objects: dict[str, Json] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)  # paths
    denied: set[str] = field(default_factory=set)  # "verb resource" that an access review says no to
    context: str = "fake"
    deleted: list[str] = field(default_factory=list)
    _version: int = 0

    def get(self, path: str, **query: str) -> Json:
        self._allow(path)
        if path in self.objects:
            return copy.deepcopy(self.objects[path])
        below = [found for key, found in self.objects.items() if key.rpartition("/")[0] == path]
        if path.rpartition("/")[2] in COLLECTIONS:
            return {"items": [copy.deepcopy(one) for one in below if _selected(one, query.get("labelSelector", ""))]}
        raise ApiNotFound(f"404 {path}", remedy="")

    def create(self, path: str, body: Json) -> Json:
        self._allow(path)
        if path.endswith("/selfsubjectaccessreviews"):
            asked = body["spec"]["resourceAttributes"]
            return {"status": {"allowed": f"{asked['verb']} {asked['resource']}" not in self.denied}}
        key = f"{path}/{body['metadata']['name']}"
        if key in self.objects:
            raise ApiConflict(f"409 {key}", remedy="")
        return self._store(key, body)

    def replace(self, path: str, body: Json) -> Json:
        self._allow(path)
        if path not in self.objects:
            raise ApiNotFound(f"404 {path}", remedy="")
        sent = body["metadata"].get("resourceVersion")
        if sent and sent != self.objects[path]["metadata"]["resourceVersion"]:
            raise ApiConflict(f"409 {path}", remedy="")
        return self._store(path, body)

    def delete(self, path: str, body: Json | None = None) -> None:
        self._allow(path)
        found = self.objects.get(path)
        if found is None:
            return
        wanted = (body or {}).get("preconditions", {}).get("resourceVersion")
        if wanted and wanted != found["metadata"]["resourceVersion"]:
            raise ApiConflict(f"409 {path}", remedy="")
        del self.objects[path]
        self.deleted.append(path)

    def put(self, path: str, body: Json) -> None:
        """Have an object there, as if somebody else had made it."""
        self._store(path, {"metadata": {"name": path.rpartition("/")[2]}, **body})

    def _store(self, key: str, body: Json) -> Json:
        self._version += 1
        kept = copy.deepcopy(body)
        kept.setdefault("metadata", {})["resourceVersion"] = str(self._version)
        self.objects[key] = kept
        return copy.deepcopy(kept)

    def _allow(self, path: str) -> None:
        if path in self.forbidden:
            raise ApiForbidden(f"403 {path}", remedy="")


COLLECTIONS = {"pods", "nodes", "secrets", "resourcequotas", "endpointslices", "leases"}


def _selected(found: Json, selector: str) -> bool:
    labels = found["metadata"].get("labels", {})
    wanted = [pair.split("=", 1) for pair in selector.split(",") if pair]
    return all(labels.get(name) == value for name, value in wanted)
