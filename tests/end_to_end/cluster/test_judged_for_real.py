"""A real platform, scaled by golive's own load through the real controller, and judged for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cluster.access import Cluster
from tests.cluster.rehearsal import ByRequests, Platform
from tests.end_to_end.cluster.grounds import Grounds, a_plan

METRICS_APIS = ("v1beta1.custom.metrics.k8s.io", "v1beta2.custom.metrics.k8s.io")
GroundsFor = Callable[[Platform], Grounds]


def test_a_platform_that_scales_in_time_passes_with_the_time_each_scale_up_took(grounds: GroundsFor) -> None:
    ground = grounds(Platform(hpa=ByRequests(per_pod_rps=300), max_replicas=6))
    run = ground.launch(plan=a_plan())
    run.wait_for_phase("climb")
    refused = ground.golive("run", "plan.yaml", "--on", "cluster", "--values", "values.json")
    assert refused.returncode == 4, refused.stderr
    assert f"{run.run_id} drives this target already" in refused.stderr
    assert run.end() == 0, run.said()
    assert run.verdict["outcome"] == "passed"
    scaling = run.judged("scaling")
    assert "scale-up" in scaling["because"]
    assert "from the load's step to ready" in scaling["because"]
    assert run.verdict["run"]["fingerprint"]["cluster_uid"]
    assert ground.left() == []
    assert ground.namespace_is_gone()


def test_an_autoscaler_capped_too_low_fails_by_name_also_when_the_laptop_dies(grounds: GroundsFor) -> None:
    ground = grounds(Platform(hpa=ByRequests(per_pod_rps=300), max_replicas=2))
    run = ground.launch(plan=a_plan())
    run.wait_for_phase("hold")
    run.process.kill()
    run.process.wait()
    attached = ground.golive("attach", run.run_id)
    assert attached.returncode == 1, attached.stdout + attached.stderr
    scaling = run.judged("scaling")
    assert scaling["outcome"] == "missed"
    assert "TooManyReplicas" in scaling["because"]
    assert ground.left() == []


@pytest.fixture
def without_custom_metrics(ready: Cluster) -> Iterator[Callable[[], str]]:
    """Takes the custom metrics API away when called, and puts it back afterwards."""
    kept = [json.loads(ready.kubectl("get", "apiservice", name, "-o", "json")) for name in METRICS_APIS]
    yield lambda: ready.kubectl("delete", "apiservice", *METRICS_APIS)
    for one in kept:
        about = {"name": one["metadata"]["name"], "labels": one["metadata"].get("labels", {})}
        ready.apply({"apiVersion": one["apiVersion"], "kind": one["kind"], "metadata": about, "spec": one["spec"]})


def test_a_metrics_source_that_dies_in_mid_run_leaves_scaling_unproven(
    grounds: GroundsFor, without_custom_metrics: Callable[[], None]
) -> None:
    ground = grounds(Platform(hpa=ByRequests(per_pod_rps=300), max_replicas=6))
    run = ground.launch(plan=a_plan())
    run.wait_for_phase("hold")
    without_custom_metrics()
    assert run.end() == 3, run.said()
    scaling = run.judged("scaling")
    assert scaling["outcome"] == "unproven"
    assert "FailedGetPodsMetric" in scaling["because"]
    assert run.judged("throughput")["outcome"] == "met"
