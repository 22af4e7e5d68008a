"""The alert rules, judged by Prometheus' own promtool: each fires for its cause and is silent without it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from loadtest.rehearsal.binaries import monitoring
from loadtest.rehearsal.monitoring import ALERT_RULES

pytestmark = pytest.mark.slow

GATEWAY = 'service="api-gateway"'
CORE = 'namespace="n",horizontalpodautoscaler="core"'
DEPLOYMENT = 'namespace="n",deployment="core"'
MINUTE = "x60"  # one sample a second, for a minute


def requests(per_s: float, code: int) -> dict[str, str]:
    return {"series": f'http_requests_total{{{GATEWAY},code="{code}"}}', "values": f"0+{per_s}{MINUTE}"}


def answered(within_s: float, per_s: float) -> list[dict[str, str]]:
    """A histogram of requests that all took between the bucket below and this one."""
    name = "http_request_duration_seconds_bucket"
    return [
        {
            "series": f'{name}{{{GATEWAY},le="{bound}"}}',
            "values": f"0+{per_s if float(bound) >= within_s else 0}{MINUTE}",
        }
        for bound in ("0.1", "0.45", "0.9", "2.5", "+Inf")
    ]


def constant(series: str, value: float) -> dict[str, str]:
    return {"series": series, "values": f"{value}+0{MINUTE}"}


def scaled(desired: int, *, limited: int) -> list[dict[str, str]]:
    of = "kube_horizontalpodautoscaler"
    return [
        constant(f"{of}_status_desired_replicas{{{CORE}}}", desired),
        constant(f"{of}_spec_max_replicas{{{CORE}}}", 8),
        constant(f'{of}_status_condition{{{CORE},condition="ScalingLimited",status="true"}}', limited),
    ]


def replicas(ready: int, ordered: int) -> list[dict[str, str]]:
    return [
        constant(f"kube_deployment_status_replicas_ready{{{DEPLOYMENT}}}", ready),
        constant(f"kube_deployment_spec_replicas{{{DEPLOYMENT}}}", ordered),
    ]


def promtool(tmp_path: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    program = monitoring().prometheus.with_name("promtool")
    found = str(program) if program.is_file() else shutil.which("promtool")
    if not found:
        pytest.skip("this Prometheus came without its promtool")
    return subprocess.run([found, *words], capture_output=True, text=True, check=False, cwd=tmp_path)


def firing(tmp_path: Path, series: list[dict[str, str]]) -> set[str]:
    """The alerts that fire after a minute of these series: promtool is told that none should, and names the others."""
    names = [rule["alert"] for rule in yaml.safe_load(ALERT_RULES.read_text())["groups"][0]["rules"]]
    expected = [{"eval_time": "59s", "alertname": name, "exp_alerts": []} for name in names]
    content: dict[str, Any] = {
        "rule_files": [str(ALERT_RULES)],
        "evaluation_interval": "1s",
        "tests": [{"interval": "1s", "input_series": series, "alert_rule_test": expected}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(content))
    said = promtool(tmp_path, "test", "rules", "test.yml")
    told = [line for line in (said.stdout + said.stderr).splitlines() if "alertname:" in line]
    assert said.returncode == bool(told), said.stderr
    return {name for name in names if any(f"alertname: {name}," in line for line in told)}


def test_prometheus_finds_nothing_wrong_with_the_rules(tmp_path: Path) -> None:
    said = promtool(tmp_path, "check", "rules", ALERT_RULES)
    assert said.returncode == 0, said.stderr


def test_each_alert_has_a_severity_and_says_what_is_wrong() -> None:
    for rule in yaml.safe_load(ALERT_RULES.read_text())["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"].endswith(".")


@pytest.mark.parametrize(
    ("alert", "cause", "near_miss"),
    [
        ("ServiceDown", [constant('up{job="platform"}', 0)], [constant('up{job="platform"}', 1)]),
        ("ServiceWithoutReplicas", replicas(0, 2), replicas(1, 2)),
        ("ServiceWithoutReplicas", replicas(0, 2), replicas(0, 0)),
        ("HighErrorRate", [requests(95, 200), requests(5, 503)], [requests(97, 200), requests(3, 503)]),
        ("HighErrorRate", [requests(95, 200), requests(5, 500)], [requests(50, 200), requests(50, 404)]),
        ("CommandBacklogGrowing", [{"series": 'command_queue_depth{queue="q"}', "values": "900+20x60"}],
         [{"series": 'command_queue_depth{queue="q"}', "values": "9000-20x60"}]),
        ("AutoscalerAtMaximum", scaled(8, limited=1), scaled(8, limited=0)),
        ("AutoscalerAtMaximum", scaled(8, limited=1), scaled(7, limited=1)),
    ],
)  # fmt: skip
def test_an_alert_fires_for_its_cause_and_for_nothing_less(
    tmp_path: Path, alert: str, cause: list[dict[str, str]], near_miss: list[dict[str, str]]
) -> None:
    assert firing(tmp_path, cause) == {alert}
    assert firing(tmp_path, near_miss) == set()


def test_latency_alerts_tell_p95_from_p99(tmp_path: Path) -> None:
    quick, slow = answered(0.1, 96), answered(2.5, 4)
    mixed = [
        {"series": one["series"], "values": f"0+{value(one) + value(two)}{MINUTE}"}
        for one, two in zip(quick, slow, strict=True)
    ]
    assert firing(tmp_path, answered(0.45, 100)) == set()
    assert firing(tmp_path, mixed) == {"HighLatencyP99"}
    assert firing(tmp_path, answered(0.9, 100)) == {"HighLatencyP95"}


def value(series: dict[str, str]) -> float:
    return float(series["values"].removeprefix("0+").removesuffix(MINUTE))
