"""The metrics of the rehearsal platform: real names, real labels, and text that Prometheus reads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.loadtest.rehearsal.running_platform import COMMAND, READ, Platform, running, small_config

pytestmark = pytest.mark.slow

NAMESPACE = {"namespace": "test-system"}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Seven requests, by one client, and an autoscaler that has spoken."""
    with running(small_config(), tmp_path_factory.mktemp("platform")) as platform:
        token = platform.token()
        for _ in range(3):
            platform.ask("GET", READ, Authorization=f"Bearer {token}")
        platform.ask("POST", COMMAND, body="{}", Authorization=f"Bearer {token}", X_Idempotency_Key="a")
        platform.ask("GET", READ)
        platform.ask("GET", "/nowhere")
        limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
        told = {"desired": 4, "current_metric": 0.71, "target_metric": 0.6, "conditions": [limited]}
        platform.admin.tell_autoscaler("api-gateway", told)
        platform.admin.scale("core", 3)
        yield platform


def samples(platform: Platform, path: str) -> list[Sample]:
    families = text_string_to_metric_families(platform.metrics(path))
    return [sample for family in families for sample in family.samples]


def value(found: list[Sample], name: str, **labels: str) -> float:
    """The one sample with this name and exactly these labels."""
    (sample,) = [sample for sample in found if sample.name == name and sample.labels == labels]
    return sample.value


def test_requests_are_counted_by_service_method_route_and_code(platform: Platform) -> None:
    found = samples(platform, "/metrics")
    for code, count in (("200", 3), ("401", 1)):
        labels = {"service": "api-gateway", "method": "GET", "route": READ, "code": code} | NAMESPACE
        assert value(found, "http_requests_total", **labels) == count
    unmatched = {"service": "api-gateway", "method": "other", "route": "unmatched", "code": "404"} | NAMESPACE
    assert value(found, "http_requests_total", **unmatched) == 1
    inner = {"service": "core", "method": "GET", "route": READ, "code": "200"} | NAMESPACE
    assert value(found, "http_requests_total", **inner) == 3


def test_every_answer_of_the_platform_is_in_the_gateways_histogram(platform: Platform) -> None:
    found = samples(platform, "/metrics")
    answered = [s.value for s in found if s.name == "http_requests_total" and s.labels["service"] == "api-gateway"]
    count = value(found, "http_request_duration_seconds_count", service="api-gateway")
    assert count == sum(answered) == platform.admin.state()["requests_total"] == 7
    assert value(found, "http_request_duration_seconds_bucket", service="api-gateway", le="+Inf") == count


def test_a_histogram_rises_over_the_buckets_of_the_contract(platform: Platform) -> None:
    name = "http_request_duration_seconds_bucket"
    buckets = [s for s in samples(platform, "/metrics") if s.name == name and s.labels["service"] == "core"]
    bounds = [float(bucket.labels["le"]) for bucket in buckets]
    expected = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.45, 0.9, 1, 2.5, 5, 10, float("inf")]
    assert bounds == expected
    counts = [bucket.value for bucket in buckets]
    assert counts == sorted(counts)
    assert (counts[1], counts[2], counts[-1]) == (0, 4, 4)  # one command of 4 ms, three reads of 5 ms


def test_queues_database_and_process_are_there(platform: Platform) -> None:
    found = samples(platform, "/metrics")
    assert value(found, "command_accepted_total", queue="commands") == 1
    assert value(found, "command_queue_depth", queue="commands") <= 1
    assert value(found, "command_queue_oldest_seconds", queue="commands") >= 0
    assert value(found, "command_done_total", queue="commands") <= 1
    assert value(found, "database_connections_max") == 8
    assert value(found, "database_connections_busy") == 0
    assert value(found, "process_cpu_seconds_total") > 0
    assert 1e6 < value(found, "process_resident_memory_bytes") < 200e6
    assert value(found, "http_connections_max") == 16_384
    assert 5 < value(found, "process_open_fds") < value(found, "process_max_fds")
    assert time.time() - 120 < value(found, "process_start_time_seconds") < time.time()


def test_connections_are_counted_while_they_are_open_and_are_handles_too(platform: Platform) -> None:
    before = samples(platform, "/metrics")
    dialled = [platform.dial() for _ in range(7)]
    during = eventually(platform, "http_connections_open", value(before, "http_connections_open") + 7)
    assert value(during, "process_open_fds") >= value(before, "process_open_fds") + 7
    for connection in dialled:
        connection.close()
    eventually(platform, "http_connections_open", value(before, "http_connections_open"))


def eventually(platform: Platform, name: str, wanted: float) -> list[Sample]:
    """The samples, once this one has the value wanted."""
    for _ in range(100):
        found = samples(platform, "/metrics")
        if value(found, name) == wanted:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{name} is {value(found, name)}, not {wanted}")


def test_the_autoscaler_is_shown_as_kube_state_metrics_shows_it(platform: Platform) -> None:
    found, prefix = samples(platform, "/kube-state-metrics"), "kube_horizontalpodautoscaler"
    hpa = NAMESPACE | {"horizontalpodautoscaler": "api-gateway"}
    expected = {"spec_min_replicas": 2, "spec_max_replicas": 9, "status_current_replicas": 2}
    expected["status_desired_replicas"] = 4
    assert {name: value(found, f"{prefix}_{name}", **hpa) for name in expected} == expected
    metric = hpa | {"metric_name": "busy_ratio", "metric_target_type": "average"}
    assert value(found, f"{prefix}_status_target_metric", **metric) == 0.71
    assert value(found, f"{prefix}_spec_target_metric", **metric) == 0.6
    for status, holds in (("true", 1), ("false", 0), ("unknown", 0)):
        condition = hpa | {"condition": "ScalingLimited", "status": status}
        assert value(found, f"{prefix}_status_condition", **condition) == holds
    reason = {"condition": "ScalingLimited", "reason": "TooManyReplicas"}
    assert value(found, "golive_rehearsal_hpa_condition_reason", **hpa, **reason) == 1


def test_deployments_and_their_pods_agree(platform: Platform) -> None:
    found = samples(platform, "/kube-state-metrics")
    core = NAMESPACE | {"deployment": "core"}
    assert value(found, "kube_deployment_spec_replicas", **core) == 3
    assert value(found, "kube_deployment_status_replicas", **core) == 3
    pods = [s for s in found if s.name == "kube_pod_status_ready" and s.labels["pod"].startswith("core-")]
    ready = sum(pod.value for pod in pods if pod.labels["condition"] == "true")
    assert ready == value(found, "kube_deployment_status_replicas_ready", **core)
    assert ready == value(found, "kube_deployment_status_replicas_available", **core)
    assert len(pods) == 9
    created = {s.labels["pod"]: s.value for s in found if s.name == "kube_pod_created"}
    became_ready = {s.labels["pod"]: s.value for s in found if s.name == "kube_pod_status_ready_time"}
    assert set(became_ready) <= set(created)
    assert all(became_ready[pod] >= created[pod] for pod in became_ready)


def test_every_family_is_named_once_with_its_help(platform: Platform) -> None:
    for path in ("/metrics", "/kube-state-metrics"):
        families = [family.name for family in text_string_to_metric_families(platform.metrics(path))]
        assert len(families) == len(set(families))
        assert all(family.documentation for family in text_string_to_metric_families(platform.metrics(path)))


def test_a_name_with_quotes_is_escaped(tmp_path: Path) -> None:
    with running(small_config(namespace='te"st\\'), tmp_path) as platform:
        platform.token()
        assert any(sample.labels.get("namespace") == 'te"st\\' for sample in samples(platform, "/metrics"))
