"""A real cluster's own autoscaler, scaled by golive's load through the real controller, and judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slo.verdict import RunOutcome
from tests.cluster.access import Cluster
from tests.cluster.rehearsal import NAME, ByRequests, Platform
from tests.end_to_end.cluster_runs import Driven


def lose_the_metrics(cluster: Cluster, namespace: str) -> None:
    """Prometheus scrapes the platform's pods no more: what the autoscaler steers by dries up."""
    cluster.kubectl("-n", namespace, "annotate", "--overwrite", "pods", "--all", "prometheus.io/scrape=false")


def deploy_anew(cluster: Cluster, namespace: str) -> None:
    """What a colleague does who knows of no test."""
    cluster.kubectl("-n", namespace, "set", "env", f"deployment/{NAME}", "RELEASE=2")


def test_a_platform_that_scales_passes_with_the_time_that_each_scale_up_took(cluster: Cluster, tmp_path: Path) -> None:
    judged = Driven(cluster=cluster, folder=tmp_path).run()
    assert judged.verdict.outcome is RunOutcome.PASSED, judged.verdict
    assert "api-gateway 3 of 6" in judged.because("scaling")
    ups = json.loads((judged.folder / "verdict.json").read_text())["scale_ups"]
    assert (ups[0]["from_replicas"], ups[-1]["to_replicas"]) == (1, 3)
    for up in ups:
        assert up["load_unix_s"] <= up["desired_unix_s"] <= up["ready_unix_s"]
        assert sum(up["legs"].values()) == pytest.approx(up["took_s"], abs=0.01)
    assert "How each scale-up went" in (judged.folder / "report.md").read_text()
    assert "fingerprint-changed" not in judged.findings  # to scale is no change


def test_an_autoscaler_that_is_capped_too_low_fails_by_name(cluster: Cluster, tmp_path: Path) -> None:
    judged = Driven(cluster=cluster, folder=tmp_path, platform=Platform(hpa=ByRequests(), max_replicas=2)).run()
    assert judged.verdict.outcome is RunOutcome.FAILED
    assert judged.because("scaling").startswith(
        "api-gateway: at max 2 while wanting more (ScalingLimited: TooManyReplicas) for"
    )


def test_without_its_metrics_an_autoscaler_is_not_proven(cluster: Cluster, tmp_path: Path) -> None:
    judged = Driven(cluster=cluster, folder=tmp_path, hold_s=75).run(lose_the_metrics)
    assert judged.verdict.outcome is RunOutcome.NOT_PROVEN
    assert "scaling" in judged.unproven
    assert "FailedGetPodsMetric" in judged.because("scaling")


def test_a_deployment_in_mid_run_is_found_and_takes_everything_away(cluster: Cluster, tmp_path: Path) -> None:
    judged = Driven(cluster=cluster, folder=tmp_path).run(deploy_anew)
    assert judged.verdict.outcome is RunOutcome.NOT_PROVEN
    assert "fingerprint-changed" in judged.findings
    (change,) = [finding for finding in judged.verdict.findings if finding.kind.value == "fingerprint-changed"]
    assert "Deployment api-gateway has a new pod template" in change.what
    assert set(judged.unproven) == {"throughput", "error-rate", "scaling"}
