"""What the record keeps of Kubernetes' objects, in the API's own forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.cluster.objects import (
    deployment_line,
    event_line,
    hash_of,
    hpa_line,
    node_line,
    pod_line,
    quantity,
    unix_s,
)  # fmt: skip

NOON = 1_795_608_000.0
NOON_TEXT = "2026-11-25T12:00:00Z"
READERS = (pod_line, hpa_line, deployment_line, event_line, node_line)


def pod(**changes: Any) -> dict[str, Any]:
    owner = {"kind": "ReplicaSet", "name": "core-5d8f", "controller": True}
    about = {"name": "core-5d8f-x", "namespace": "hotel", "uid": "u1", "ownerReferences": [owner],
             "labels": {"pod-template-hash": "5d8f"}, "creationTimestamp": NOON_TEXT}  # fmt: skip
    status = {
        "phase": "Running",
        "conditions": [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-25T12:00:01Z"},
            {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-25T12:00:09Z"},
        ],
        "containerStatuses": [
            {"name": "core", "restartCount": 0, "image": "shop/core:1", "imageID": "shop/core@sha256:abc",
             "state": {"running": {"startedAt": "2026-11-25T12:00:04Z"}}},
        ],
        **changes.pop("status", {}),
    }  # fmt: skip
    return {"metadata": {**about, **changes}, "spec": {"nodeName": "node-7"}, "status": status}


def test_a_pod_is_where_it_has_come_to_in_its_life() -> None:
    line = pod_line(pod())
    assert (line["owner"], line["node"], line["phase"]) == ("Deployment/core", "node-7", "Running")
    assert (line["created_unix_s"], line["scheduled_unix_s"], line["started_unix_s"], line["ready_unix_s"]) == (
        NOON, NOON + 1, NOON + 4, NOON + 9,
    )  # fmt: skip
    assert line["digests"] == {"core": "sha256:abc"}


def test_a_pod_that_is_not_ready_has_no_instant_of_it() -> None:
    waiting = {"type": "Ready", "status": "False", "lastTransitionTime": NOON_TEXT}
    line = pod_line(pod(status={"conditions": [waiting]}))
    assert (line["ready"], line["ready_unix_s"]) == (False, None)


def test_a_deleted_pod_was_deleted_when_it_was_asked_to_go_and_not_at_the_end_of_its_grace() -> None:
    line = pod_line(pod(deletionTimestamp="2026-11-25T12:00:30Z", deletionGracePeriodSeconds=30))
    assert line["deletion_unix_s"] == NOON


def test_the_container_that_ended_last_is_told_also_from_a_former_life() -> None:
    oom = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-25T12:00:20Z"}}
    restarted = {"name": "core", "restartCount": 1, "state": {"running": {}}, "lastState": oom}
    line = pod_line(pod(status={"containerStatuses": [restarted]}))
    assert line["restarts"] == 1
    assert line["ended"] == {
        "container": "core", "reason": "OOMKilled", "exit_code": 137, "at_unix_s": NOON + 20,
    }  # fmt: skip


def test_a_worker_of_ours_says_which_index_and_run_it_is() -> None:
    labels = {"golive/run": "R1", "app.kubernetes.io/component": "worker",
              "batch.kubernetes.io/job-completion-index": "3"}  # fmt: skip
    line = pod_line(pod(labels=labels, ownerReferences=[{"kind": "Job", "name": "w", "controller": True}]))
    assert (line["run"], line["component"], line["index"], line["owner"]) == ("R1", "worker", 3, "Job/w")


def test_before_kubernetes_1_28_the_index_is_an_annotation_only() -> None:
    line = pod_line(pod(annotations={"batch.kubernetes.io/job-completion-index": "2"}))
    assert line["index"] == 2


def test_the_platforms_own_component_labels_are_none_of_ours() -> None:
    assert pod_line(pod(labels={"app.kubernetes.io/component": "worker"}))["component"] == ""


def test_a_disruption_has_its_reason_and_its_instant() -> None:
    condition = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
                 "message": "evicted", "lastTransitionTime": NOON_TEXT}  # fmt: skip
    line = pod_line(pod(status={"conditions": [condition]}))
    assert line["disruption"] == {"reason": "EvictionByEvictionAPI", "message": "evicted", "at_unix_s": NOON}


def hpa(*, target: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
    metric = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": target}}
    seen = [] if current is None else [{"type": "Pods", "pods": {"metric": {"name": "rps"}, "current": current}}]
    return {
        "metadata": {"name": "core", "namespace": "hotel"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "core"}, "maxReplicas": 9, "metrics": [metric]},
        "status": {"currentReplicas": 2, "desiredReplicas": 3, "currentMetrics": seen},
    }


def test_an_hpa_is_what_it_may_has_and_wants() -> None:
    line = hpa_line(hpa(target={"type": "AverageValue", "averageValue": "500m"}, current={"averageValue": "1"}))
    assert [line[name] for name in ("scales", "min", "max", "current", "desired")] == ["Deployment/core", 1, 9, 2, 3]
    assert line["metrics"] == [{"name": "rps", "target": 0.5, "now": 1.0}]


def test_a_metric_that_the_controller_cannot_tell_is_unknown_and_not_zero() -> None:
    line = hpa_line(hpa(target={"averageValue": "5"}, current=None))
    assert line["metrics"] == [{"name": "rps", "target": 5.0, "now": None}]


def test_a_metric_is_read_in_the_form_of_its_target() -> None:
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "250m"}}}
    seen = {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 80, "averageValue": "1"}}}
    line = hpa_line({"spec": {"metrics": [cpu]}, "status": {"currentMetrics": [seen]}})
    assert line["metrics"] == [{"name": "cpu", "target": 0.25, "now": 1.0}]


def test_an_event_carries_its_newest_instant_and_how_often_it_happened() -> None:
    about = {"kind": "Pod", "name": "core-1", "namespace": "hotel"}
    line = event_line({"involvedObject": about, "reason": "BackOff", "count": 4, "lastTimestamp": NOON_TEXT})
    assert (line["about"], line["count"], line["event_unix_s"]) == ("Pod/core-1", 4, NOON)


def test_a_node_is_its_pool_and_whether_it_takes_pods() -> None:
    node = {
        "metadata": {"name": "n1", "labels": {"node.kubernetes.io/instance-type": "m5.large"}},
        "spec": {"unschedulable": True, "taints": [{"key": "x", "effect": "NoSchedule"}]},
        "status": {"nodeInfo": {"kubeletVersion": "v1.34.1", "kernelVersion": "6.1"},
                   "conditions": [{"type": "MemoryPressure", "status": "True"}, {"type": "Ready", "status": "True"}]},
    }  # fmt: skip
    line = node_line(node)
    assert (line["pool"], line["cordoned"], line["ready"]) == ("m5.large, kubelet v1.34.1, kernel 6.1", True, True)
    assert (line["pressed"], line["taints"]) == (["MemoryPressure"], ["x:NoSchedule"])


def test_to_scale_changes_no_template() -> None:
    small, large = ({"spec": {"replicas": n, "template": {"a": 1}}, "status": {"replicas": n}} for n in (1, 9))
    assert deployment_line(small)["template"] == deployment_line(large)["template"]
    assert deployment_line(small) != deployment_line(large)


@pytest.mark.parametrize(
    ("text", "number"),
    [("3", 3.0), ("250m", 0.25), ("1Gi", 2.0**30), ("2k", 2000.0), ("1e3", 1000.0), ("100n", 1e-7), ("x", None),
     ("", None), ("5Mi", 5 * 2.0**20)],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_writes_them(text: str, number: float | None) -> None:
    assert quantity(text) == (None if number is None else pytest.approx(number))


@given(st.integers(0, 2_000_000_000))
def test_instants_are_read_to_the_second(second: int) -> None:
    from datetime import UTC, datetime

    assert unix_s(datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) == second


@given(st.text(max_size=30))
def test_what_is_no_instant_is_none(text: str) -> None:
    assert unix_s(text) is None or isinstance(unix_s(text), float)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from(["metadata", "spec", "status", "conditions", "labels", "x"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), st.dictionaries(st.text(max_size=5), JSON)))
def test_an_object_with_almost_nothing_in_it_still_has_a_line(thing: dict[str, Any]) -> None:
    for read in READERS:
        assert hash_of(read(thing))
