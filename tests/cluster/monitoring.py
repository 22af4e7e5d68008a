"""What the cluster's Prometheus and Alertmanager read, and what their numbers become: metrics an HPA can follow."""

from __future__ import annotations

import json

from tests.cluster.addresses import ALERTMANAGER_SERVICE, NODE_ADDRESS
from tests.cluster.places import Places

PODS_SCRAPED_EVERY = "1s"
CADVISOR_SCRAPED_EVERY = "5s"  # kubelet itself measures no oftener
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"

# http_requests_total of a pod as http_requests_per_second. A pod may count one request at several services that it
# passes (the label `service`): the busiest of them is its rate.
REQUESTS_RULE = {
    "seriesQuery": 'http_requests_total{namespace!="",pod!=""}',
    "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
    "name": {"matches": "^(.*)_total$", "as": "${1}_per_second"},
    "metricsQuery": "max(sum(rate(<<.Series>>{<<.LabelMatchers>>}[5s])) by (<<.GroupBy>>, service)) by (<<.GroupBy>>)",
}


def write(places: Places) -> None:
    """Write what they read."""
    prometheus, alertmanager = places.run / "prometheus", places.run / "alertmanager"
    for folder in (prometheus / "targets", prometheus / "rules", alertmanager):
        folder.mkdir(parents=True, exist_ok=True)
    (prometheus / "prometheus.json").write_text(json.dumps(_prometheus(), indent=1))
    nobody = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    (alertmanager / "alertmanager.json").write_text(json.dumps(nobody))
    (places.run / "custom-metrics.json").write_text(json.dumps({"rules": [REQUESTS_RULE]}, indent=1))


def _prometheus() -> dict[str, object]:
    cadvisor = {
        "scheme": "https",
        "metrics_path": "/metrics/cadvisor",
        "scrape_interval": CADVISOR_SCRAPED_EVERY,
        "tls_config": {"ca_file": f"{ACCOUNT}/ca.crt"},
        "authorization": {"credentials_file": f"{ACCOUNT}/token"},
        **_fixed(f"{NODE_ADDRESS}:10250"),
    }
    pods = {"file_sd_configs": [{"files": ["/etc/prometheus/targets/*.json"], "refresh_interval": "5s"}]}
    return {
        "global": {"scrape_interval": PODS_SCRAPED_EVERY, "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["/etc/prometheus/rules/*.yml"],
        "alerting": {"alertmanagers": [_fixed(f"{ALERTMANAGER_SERVICE}:9093")]},
        "scrape_configs": [
            # Its namespace and pod are those it speaks of, not where it runs.
            {"job_name": "kube-state-metrics", "honor_labels": True, **_fixed(f"{NODE_ADDRESS}:8080")},
            {"job_name": "cadvisor", **cadvisor},
            {"job_name": "pods", **pods},
        ],
    }


def _fixed(address: str) -> dict[str, object]:
    return {"static_configs": [{"targets": [address]}]}
