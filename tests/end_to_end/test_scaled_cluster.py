"""A platform on a real cluster, driven and watched from this machine through a kubeconfig, and changed in mid-run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slo.verdict import RunOutcome
from tests.cluster.access import Cluster
from tests.cluster.rehearsal import NAME
from tests.end_to_end.cluster_runs import Driven


def deploy_anew(cluster: Cluster, namespace: str) -> None:
    """What a colleague does who knows of no test."""
    cluster.kubectl("-n", namespace, "set", "env", f"deployment/{NAME}", "RELEASE=2")


def test_a_deployment_in_mid_run_is_found_and_takes_everything_away(cluster: Cluster, tmp_path: Path) -> None:
    judged = Driven(cluster=cluster, folder=tmp_path).run(deploy_anew)
    assert judged.verdict.outcome is RunOutcome.NOT_PROVEN
    (change,) = [finding for finding in judged.verdict.findings if finding.kind.value == "fingerprint-changed"]
    assert "Deployment api-gateway has a new pod template" in change.what  # and nothing of the scaling before it
    assert set(judged.unproven) == {"throughput", "error-rate", "scaling"}
    ups = json.loads((judged.folder / "verdict.json").read_text())["scale_ups"]
    assert (ups[0]["from_replicas"], ups[-1]["to_replicas"]) == (1, 3)
    for up in ups:
        assert up["load_unix_s"] <= up["desired_unix_s"] <= up["ready_unix_s"]
        assert sum(up["legs"].values()) == pytest.approx(up["took_s"], abs=0.01)
    assert "### How each scale-up went" in (judged.folder / "report.md").read_text()
