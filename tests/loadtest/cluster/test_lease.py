"""One run at a time on a target."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from loadtest.cluster.errors import ApiNotFound
from loadtest.cluster.lease import TargetLease, lease_name
from scenarios.errors import PreflightFailed
from scenarios.target import Target, TargetClass
from tests.loadtest.cluster.fake_api import FakeApi

LEASES = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"


def a_lease(api: FakeApi, holder: str = "run-1") -> TargetLease:
    return TargetLease(api=api, namespace="shop", name="golive-x", holder=holder)


def a_target(url: str, name: str = "staging") -> Target:
    return Target(name=name, url=url, target_class=TargetClass.STAGING)


def let_lapse(api: FakeApi) -> None:
    past = datetime.fromtimestamp(time.time(), UTC) - timedelta(hours=1)
    api.objects[f"{LEASES}/golive-x"]["spec"]["renewTime"] = past.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_second_run_on_the_same_target_is_refused_and_told_by_whom() -> None:
    api = FakeApi()
    a_lease(api).take()
    with pytest.raises(PreflightFailed, match="run-1 drives this target already") as refused:
        a_lease(api, holder="run-2").take()
    assert "golive stop run-1" in refused.value.remedy


def test_a_run_that_died_long_ago_holds_nothing() -> None:
    api = FakeApi()
    a_lease(api).take()
    let_lapse(api)
    a_lease(api, holder="run-2").take()
    with pytest.raises(PreflightFailed, match="held by run run-2"):
        a_lease(api).renew()


def test_of_two_that_take_a_lapsed_lease_at_once_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi()
    a_lease(api).take()
    let_lapse(api)
    read = api.get

    def overtaken(path: str, **query: str) -> dict[str, object]:
        found = read(path, **query)
        monkeypatch.setattr(api, "get", read)
        a_lease(api, holder="run-3").take()
        return found

    monkeypatch.setattr(api, "get", overtaken)
    with pytest.raises(PreflightFailed, match="at the same moment"):
        a_lease(api, holder="run-2").take()


def test_renewing_keeps_it_from_lapsing() -> None:
    api = FakeApi()
    a_lease(api).take()
    let_lapse(api)
    a_lease(api).renew()
    with pytest.raises(PreflightFailed):
        a_lease(api, holder="run-2").take()


def test_a_lease_that_was_taken_over_is_not_ours_to_release() -> None:
    api = FakeApi()
    a_lease(api, holder="run-2").take()
    a_lease(api).release()
    assert f"{LEASES}/golive-x" in api.objects


def test_releasing_leaves_nothing_and_twice_is_fine() -> None:
    api = FakeApi()
    lease = a_lease(api)
    lease.take()
    lease.release()
    lease.release()
    with pytest.raises(ApiNotFound):
        api.get(f"{LEASES}/golive-x")


def test_a_target_has_one_lease_whatever_it_is_called() -> None:
    one = a_target("https://Shop.example.com:8443/a")
    assert lease_name(one) == lease_name(replace(one, name="other", url="https://shop.example.com:8443/b"))
    assert lease_name(one) != lease_name(a_target("https://shop.example.com:8444"))
    assert lease_name(a_target("http://shop.example.com")) == lease_name(a_target("http://shop.example.com:80"))
