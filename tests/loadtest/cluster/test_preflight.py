"""What is checked on a cluster before anything is installed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from loadtest.cluster.pod_sizes import PodAsk
from loadtest.cluster.preflight import Right, check_cluster, check_rights, check_room, rights_needed
from loadtest.cluster.quantity import Amount
from scenarios.errors import PreflightFailed
from scenarios.target import Target, TargetClass
from tests.loadtest.cluster.fake_api import FakeApi

UID = "11111111-2222"


def a_cluster(version: str = "v1.28.4", **labels: str) -> FakeApi:
    api = FakeApi()
    major, minor = version.removeprefix("v").split(".")[:2]
    api.put("/version", {"major": major, "minor": f"{minor}+", "gitVersion": version})
    api.put("/api/v1/namespaces/kube-system", {"metadata": {"uid": UID}})
    api.put("/api/v1/namespaces/shop", {"metadata": {"labels": labels}})
    return api


def a_target(kind: TargetClass = TargetClass.STAGING, cluster_uid: str = UID) -> Target:
    return Target(name="t", url="http://api.shop.svc", target_class=kind, cluster_uid=cluster_uid, namespace="shop")


def a_node(name: str, cpu: str, memory: str = "8Gi", **spec: Any) -> dict[str, Any]:
    status = {"allocatable": {"cpu": cpu, "memory": memory}, "conditions": [{"type": "Ready", "status": "True"}]}
    return {"metadata": {"name": name}, "spec": spec, "status": status}


def a_pod(node: str, cpu: str) -> dict[str, Any]:
    return {"metadata": {}, "spec": {"nodeName": node, "containers": [{"resources": {"requests": {"cpu": cpu}}}]}}


WORKER = PodAsk(amount=Amount(cpu_cores=2, memory_bytes=2**30))


def test_the_cluster_that_the_targets_entry_names_is_taken() -> None:
    assert check_cluster(a_cluster(), a_target()).cluster_uid == UID


def test_another_cluster_than_the_entrys_is_refused() -> None:
    with pytest.raises(PreflightFailed, match="is on other"):
        check_cluster(a_cluster(), a_target(cluster_uid="other"))


def test_a_target_that_names_no_cluster_is_told_what_to_add() -> None:
    with pytest.raises(PreflightFailed) as refused:
        check_cluster(a_cluster(), a_target(cluster_uid=""))
    assert f'cluster_uid: "{UID}"' in refused.value.remedy


def test_a_rehearsal_may_leave_the_cluster_open_where_the_namespace_says_it_is_one() -> None:
    api = a_cluster(**{"golive/rehearsal": "true"})
    check_cluster(api, a_target(TargetClass.REHEARSAL, cluster_uid=""))


def test_a_namespace_that_does_not_call_itself_a_rehearsal_is_none() -> None:
    with pytest.raises(PreflightFailed, match="does not call itself a rehearsal"):
        check_cluster(a_cluster(), a_target(TargetClass.REHEARSAL, cluster_uid=""))


def test_an_old_kubernetes_is_refused() -> None:
    with pytest.raises(PreflightFailed, match=r"1\.28 or newer"):
        check_cluster(a_cluster("v1.27.9"), a_target())


def test_every_right_that_lacks_is_named_at_once() -> None:
    api = FakeApi(denied={"create jobs", "delete leases"})
    with pytest.raises(PreflightFailed) as refused:
        check_rights(api, rights_needed("golive", "shop", "shop"))
    assert "create jobs.batch in golive" in refused.value.problem
    assert "delete leases.coordination.k8s.io in shop" in refused.value.problem


def test_a_right_reads_as_people_say_it() -> None:
    assert (
        str(Right(verb="create", resource="pods/portforward", namespace="golive"))
        == "create pods/portforward in golive"
    )


def with_nodes(*nodes: dict[str, Any], pods: tuple[dict[str, Any], ...] = ()) -> FakeApi:
    api = FakeApi()
    for node in nodes:
        api.put(f"/api/v1/nodes/{node['metadata']['name']}", node)
    for index, pod in enumerate(pods):
        api.put(f"/api/v1/pods/{index}", {**pod, "metadata": {"name": str(index)}})
    return api


def test_workers_that_fit_are_let_through() -> None:
    api = with_nodes(a_node("a", "4"), a_node("b", "3"))
    assert check_room(api, "golive", (WORKER, WORKER, WORKER)) == ""


def test_what_others_asked_for_is_taken() -> None:
    api = with_nodes(a_node("a", "4"), pods=(a_pod("a", "1500m"), a_pod("a", "1")))
    with pytest.raises(PreflightFailed, match="no room for 1 of 1 pods: 2 CPU"):
        check_room(api, "golive", (WORKER,))


def test_room_scattered_over_nodes_is_no_room_for_a_large_pod() -> None:
    api = with_nodes(a_node("a", "1500m"), a_node("b", "1500m"))
    with pytest.raises(PreflightFailed, match="no room"):
        check_room(api, "golive", (WORKER,))


def test_a_node_that_takes_nobody_offers_nothing() -> None:
    tainted: dict[str, Any] = {"taints": [{"key": "x", "effect": "NoSchedule"}]}
    api = with_nodes(a_node("a", "64", unschedulable=True), a_node("b", "64", **tainted))
    with pytest.raises(PreflightFailed, match="0 nodes"):
        check_room(api, "golive", (WORKER,))


def test_a_tainted_node_takes_the_pods_that_tolerate_it() -> None:
    taint = {"key": "load", "value": "yes", "effect": "NoSchedule"}
    api = with_nodes(a_node("a", "64", taints=[taint]))
    tolerant = replace(WORKER, tolerations=({"key": "load", "value": "yes", "effect": "NoSchedule"},))
    assert check_room(api, "golive", (tolerant,)) == ""
    wrong_value = replace(WORKER, tolerations=({"key": "load", "value": "no"},))
    with pytest.raises(PreflightFailed, match="0 nodes"):
        check_room(api, "golive", (wrong_value,))


def test_a_pod_that_asks_for_labels_finds_room_only_where_they_are() -> None:
    labelled = {**a_node("b", "2"), "metadata": {"name": "b", "labels": {"pool": "load"}}}
    api = with_nodes(a_node("a", "64"), labelled)
    choosy = replace(WORKER, node_selector={"pool": "load"})
    assert check_room(api, "golive", (choosy,)) == ""
    with pytest.raises(PreflightFailed, match="1 nodes that take it"):
        check_room(api, "golive", (choosy, choosy))


def test_a_quota_that_is_too_small_is_named_with_its_figures() -> None:
    api = with_nodes(a_node("a", "64"))
    quota = {"status": {"hard": {"requests.cpu": "3"}, "used": {"requests.cpu": "1500m"}}}
    api.put("/api/v1/namespaces/golive/resourcequotas/q", quota)
    with pytest.raises(PreflightFailed, match=r"Quota q: requests.cpu is 1500m of 3, and this run needs 2 more"):
        check_room(api, "golive", (WORKER,))


def test_what_this_account_may_not_see_is_said_and_not_guessed() -> None:
    api = FakeApi(forbidden={"/api/v1/nodes"})
    assert "may not see nodes" in check_room(api, "golive", (WORKER,))
