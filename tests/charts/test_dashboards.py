"""The Grafana dashboards: portable, and asking only for what is there."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from analysis.ports import Series
from analysis.prometheus import Prometheus
from analysis.promql import FIXED
from scenarios.target import PrometheusQueries
from tests.charts.places import CHART
from tests.contracts.prometheus_server import prometheus_binary, prometheus_over
from tests.loadtest.metrics.test_page import a_busy_page

DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))
CHOSEN = {
    "service": "api-gateway",
    "namespace": "tartware-system",
    "hpa": "gateway",
    "golive": "golive",
    "run": "20261125T010203Z-smoke-ab12",
    "master": "192.0.2.7:9646",
    "__rate_interval": "1m",
}
OF_THE_HPA = {"namespace": "tartware-system", "horizontalpodautoscaler": "gateway"}
OF_GOLIVE = {"namespace": "golive", "container": "golive", "pod": "golive-worker-0"}
CADVISOR = {
    "container_cpu_usage_seconds_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_periods_total",
    "container_memory_working_set_bytes",
}
BEGIN_UNIX_S = 1_700_000_000.0


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


def questions(path: Path) -> list[str]:
    return asked_with(path, CHOSEN)


def asked_with(path: Path, chosen: Mapping[str, str]) -> list[str]:
    """What the panels ask when these values are chosen."""
    asked = [target["expr"] for panel in panels(path) for target in panel["targets"]]
    return [re.sub(r"\$(\w+)", lambda name: chosen[name[1]], expression) for expression in asked]


def names(promql: str) -> set[str]:
    return set(re.findall(r"\b(?:http|kube|container|command|golive|process)_\w+", promql))


def known() -> set[str]:
    own = {name for query in vars_of(PrometheusQueries()) for name in names(query)}
    return own | set(FIXED.values()) | CADVISOR | set(golives_own())


def golives_own() -> dict[str, list[dict[str, str]]]:
    """What a run's master serves: labels by name, from its real page."""
    _, text = a_busy_page().rendered("")
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append({**sample.labels, "instance": CHOSEN["master"]})
    return found


def vars_of(queries: PrometheusQueries) -> list[str]:
    return [queries.requests, queries.errors, queries.duration_buckets, queries.backlog, queries.up]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_fits_every_grafana(path: Path) -> None:
    board = json.loads(path.read_text())
    variable = board["templating"]["list"][0]
    assert "id" not in board
    assert (variable["name"], variable["type"]) == ("DS_PROMETHEUS", "datasource")
    assert {target["datasource"]["uid"] for panel in panels(path) for target in panel["targets"]} == {
        "${DS_PROMETHEUS}"
    }


def test_each_has_an_address_of_its_own() -> None:
    assert [json.loads(path.read_text())["uid"] for path in DASHBOARDS] == ["golive-autoscaling", "golive-run"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_they_ask_for_nothing_that_nobody_exports(path: Path) -> None:
    asked = {name for question in questions(path) for name in names(question)}
    assert asked
    assert asked <= known()


@pytest.mark.slow
def test_a_real_prometheus_has_an_answer_to_each_question(tmp_path: Path) -> None:
    binary = prometheus_binary()
    if not binary:
        pytest.skip("no Prometheus here: `make setup` brings it")
    asked = [question for path in DASHBOARDS for question in questions(path)]
    with prometheus_over(samples(), tmp_path, binary) as url:
        source = Prometheus(url)
        silent = [question for question in asked if not source.query(question, at_unix_s=BEGIN_UNIX_S + 300)]
    assert not silent


def samples() -> Mapping[str, list[Series]]:
    """Ten minutes of all that a target with kube-state-metrics and cAdvisor has."""
    hpa = [name for name in FIXED.values() if name.startswith("kube_horizontalpodautoscaler")]
    conditions = [
        {**OF_THE_HPA, "status": "true", "condition": c} for c in ("ScalingActive", "ScalingLimited", "AbleToScale")
    ]
    of: dict[str, list[dict[str, str]]] = {
        "http_requests_total": [{"service": "api-gateway", "code": "200"}, {"service": "api-gateway", "code": "503"}],
        "http_request_duration_seconds_bucket": [{"service": "api-gateway", "le": le} for le in ("0.1", "1", "+Inf")],
        "command_queue_depth": [{"queue": "reservations"}],
        **{
            name: [{"namespace": "tartware-system", "deployment": "gateway"}]
            for name in FIXED.values()
            if "deployment" in name
        },
        **{name: [OF_THE_HPA] for name in hpa},
        "kube_horizontalpodautoscaler_status_condition": conditions,
        **{name: [OF_GOLIVE] for name in CADVISOR},
        **golives_own(),
    }
    at = BEGIN_UNIX_S + np.arange(0, 600, 15.0)
    return {
        name: [Series(labels=labels, at_unix_s=at, values=np.arange(at.size, dtype=float)) for labels in all_labels]
        for name, all_labels in of.items()
    }
