"""Every rendered object against the API of the oldest Kubernetes and of the test cluster's."""

from __future__ import annotations

import copy

import pytest

from tests.charts.helm import Manifest, manifests, needs_helm, value_sets
from tests.charts.openapi import KUBERNETES, faults

pytestmark = needs_helm


@pytest.fixture
def workers() -> Manifest:
    return copy.deepcopy(
        next(m for m in manifests("minimal") if m["metadata"]["name"].endswith("-worker") and m["kind"] == "Job")
    )


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("value_set", value_sets())
def test_kubernetes_knows_every_field(value_set: str, kubernetes: str) -> None:
    found = {f"{m['kind']} {m['metadata']['name']}": faults(m, kubernetes) for m in manifests(value_set)}
    assert found
    assert not any(found.values()), found


def test_a_field_that_nobody_knows_is_a_fault(workers: Manifest) -> None:
    workers["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    assert "imagePullPolice" in "".join(faults(workers, "1.28"))


def test_a_field_of_another_type_is_a_fault(workers: Manifest) -> None:
    workers["spec"]["backoffLimit"] = "0"
    assert faults(workers, "1.28") == ["$.spec.backoffLimit: '0' is not of type 'integer'"]


def test_a_field_that_is_newer_than_the_oldest_is_a_fault_there_only(workers: Manifest) -> None:
    workers["spec"]["managedBy"] = "example.com/controller"  # since 1.30
    assert faults(workers, "1.28")
    assert not faults(workers, "1.34")


def test_an_object_of_the_operator_is_known_too() -> None:
    monitor = copy.deepcopy(next(m for m in manifests("full") if m["kind"] == "PodMonitor"))
    monitor["spec"]["podMetricsEndpoints"][0]["every"] = "5s"
    assert "every" in "".join(faults(monitor, "1.28"))
