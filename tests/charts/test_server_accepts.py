"""Every kept rendering, as the API server of the test cluster takes it: strictly, admission and all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from scenarios.errors import StageFailed
from tests.charts.golden import kept
from tests.charts.helm import needs_helm, value_sets
from tests.charts.on_cluster import Cluster, apply
from tests.charts.openapi import POD_MONITORS

pytestmark = needs_helm

CRD = "podmonitors.monitoring.coreos.com"


@pytest.fixture
def restricted(cluster: Cluster) -> Iterator[str]:
    with cluster.namespace() as namespace:
        for mode in ("enforce", "warn"):
            cluster.kubectl(
                "label", "namespace", namespace, f"pod-security.kubernetes.io/{mode}=restricted", "--overwrite"
            )
        yield namespace


@pytest.fixture(scope="module")
def operator_objects(cluster: Cluster) -> Iterator[None]:
    """The cluster knows PodMonitors, as one with the Prometheus Operator does."""
    cluster.kubectl("apply", "--server-side", "-f", str(POD_MONITORS.fetched()))
    cluster.kubectl("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    yield
    cluster.kubectl("delete", "crd", CRD)


def moved(value_set: str, namespace: str) -> list[dict[str, object]]:
    """The kept rendering, with all that is not cluster-wide in one namespace."""
    objects = [manifest for manifest in yaml.safe_load_all(kept(value_set).read_text()) if manifest]
    for manifest in objects:
        if "namespace" in manifest["metadata"]:
            manifest["metadata"]["namespace"] = namespace
    return objects


@pytest.mark.usefixtures("operator_objects")
@pytest.mark.parametrize("value_set", value_sets())
def test_the_server_takes_every_object(cluster: Cluster, restricted: str, value_set: str) -> None:
    objects = moved(value_set, restricted)
    said = apply(cluster, objects, "--dry-run=server")
    assert said.count("created (server dry run)") == len(objects)


def test_the_server_would_refuse_a_field_it_does_not_know(cluster: Cluster, restricted: str) -> None:
    objects = moved("minimal", restricted)
    job = next(manifest for manifest in objects if manifest["kind"] == "Job")
    job["spec"]["backoffLimits"] = 0  # type: ignore[index]
    with pytest.raises(StageFailed, match="backoffLimits"):
        apply(cluster, [job], "--dry-run=server")
