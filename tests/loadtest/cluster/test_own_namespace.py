"""golive's own namespace: made where it is missing, waited for while the run before is still being removed."""

from __future__ import annotations

import pytest

from loadtest.cluster import own_namespace
from loadtest.cluster.own_namespace import CREATED_BY_US, ensure_namespace, remove_unused_namespace
from loadtest.cluster.ports import Json
from scenarios.errors import PreflightFailed
from tests.loadtest.cluster.fake_api import FakeApi

PATH = "/api/v1/namespaces/golive"
GOING = {"metadata": {"deletionTimestamp": "2026-11-30T12:23:19Z"}, "status": {"phase": "Terminating"}}


class GoneAfterLooks(FakeApi):
    """A namespace on its way out that is gone at the third look."""

    looks = 0

    def get(self, path: str, **query: str) -> Json:
        self.looks += path == PATH
        if self.looks == 3:
            self.objects.pop(PATH, None)
        return super().get(path, **query)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_namespace, "LOOK_EVERY_S", 0.01)


def test_one_that_is_missing_is_made_and_says_by_whom() -> None:
    api, said = FakeApi(), list[str]()
    ensure_namespace(api, "golive", say=said.append)
    assert api.objects[PATH]["metadata"]["annotations"] == {CREATED_BY_US: "true"}
    assert said == []


def test_one_that_is_there_stays_as_it_is() -> None:
    api = FakeApi()
    api.put(PATH, {})
    ensure_namespace(api, "golive", say=print)
    assert "annotations" not in api.objects[PATH]["metadata"]


def test_one_that_is_being_removed_is_waited_for_and_made_anew() -> None:
    api, said = GoneAfterLooks(), list[str]()
    api.put(PATH, GOING)
    ensure_namespace(api, "golive", say=said.append)
    assert said == ["namespace golive is still being removed after the run before: waiting"]
    assert api.objects[PATH]["metadata"]["annotations"] == {CREATED_BY_US: "true"}


def test_one_that_stays_on_its_way_out_is_refused_with_where_to_look() -> None:
    api = FakeApi()
    api.put(PATH, GOING)
    with pytest.raises(PreflightFailed, match="on its way out for 0 s") as refused:
        ensure_namespace(api, "golive", say=print, gone_within_s=0.05)
    assert "--namespace" in refused.value.remedy


def test_only_a_namespace_that_golive_made_is_removed_and_only_when_nothing_runs_in_it() -> None:
    api = FakeApi()
    api.put(PATH, {})
    remove_unused_namespace(api, "golive")
    assert PATH in api.objects
    api.put(PATH, {"metadata": {"annotations": {CREATED_BY_US: "true"}}})
    api.put(f"{PATH}/pods/master", {})
    remove_unused_namespace(api, "golive")
    assert PATH in api.objects
    api.objects.pop(f"{PATH}/pods/master")
    remove_unused_namespace(api, "golive")
    assert PATH not in api.objects
