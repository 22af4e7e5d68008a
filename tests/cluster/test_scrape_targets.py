"""Which pods Prometheus is told of, and how they are labelled."""

from __future__ import annotations

from typing import Any

from tests.cluster.scrape_targets import target


def pod(*, annotations: dict[str, str], labels: dict[str, str] | None = None, phase: str = "Running") -> dict[str, Any]:
    about = {"name": "web-1", "namespace": "shop", "annotations": annotations, "labels": labels or {}}
    return {"metadata": about, "status": {"phase": phase, "podIP": "10.244.0.9"}}


WISHES = {"prometheus.io/scrape": "true", "prometheus.io/port": "9100"}


def test_a_running_pod_that_asks_for_it_is_scraped_under_its_names() -> None:
    labels = {"namespace": "shop", "pod": "web-1", "app": "web", "job": "pods"}
    assert target(pod(annotations=WISHES, labels={"app": "web"})) == {"targets": ["10.244.0.9:9100"], "labels": labels}


def test_a_path_of_its_own_is_asked_for() -> None:
    found = target(pod(annotations={**WISHES, "prometheus.io/path": "/status"}))
    assert found
    assert "'__metrics_path__': '/status'" in str(found)


def test_pods_that_do_not_ask_or_do_not_run_are_left_alone() -> None:
    assert target(pod(annotations={})) is None
    assert target(pod(annotations={"prometheus.io/scrape": "true"})) is None
    assert target(pod(annotations=WISHES, phase="Succeeded")) is None
    assert target({"metadata": {"name": "bare", "namespace": "shop"}}) is None
