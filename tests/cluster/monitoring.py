"""The cluster's Prometheus and Alertmanager: what they read and how they are started."""

from __future__ import annotations

import json

from loadtest.rehearsal.binaries import ALERTMANAGER_FILES
from loadtest.rehearsal.binaries import monitoring as programs
from tests.cluster.addresses import NODE_ADDRESS
from tests.cluster.daemons import Daemon, custom_metrics, scrape_targets
from tests.cluster.places import Places

PODS_SCRAPED_EVERY = "1s"
CADVISOR_SCRAPED_EVERY = "5s"  # kubelet itself measures no oftener
PROMETHEUS_PORT = 9090
ALERTMANAGER_PORT = 9093

# http_requests_total of a pod as http_requests_per_second. A pod may count one request at several services that it
# passes (the label `service`): the busiest of them is its rate.
REQUESTS_RULE = {
    "seriesQuery": 'http_requests_total{namespace!="",pod!=""}',
    "resources": {"overrides": {"namespace": {"resource": "namespace"}, "pod": {"resource": "pod"}}},
    "name": {"matches": "^(.*)_total$", "as": "${1}_per_second"},
    "metricsQuery": "max(sum(rate(<<.Series>>{<<.LabelMatchers>>}[5s])) by (<<.GroupBy>>, service)) by (<<.GroupBy>>)",
}


def write(places: Places) -> None:
    """Write what both read."""
    (places.run / "targets").mkdir(parents=True, exist_ok=True)
    (places.run / "rules").mkdir(parents=True, exist_ok=True)
    (places.run / "prometheus.json").write_text(json.dumps(_prometheus(places), indent=1))
    alertmanager = places.run / "alertmanager"
    alertmanager.mkdir(exist_ok=True)
    nobody = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
    (alertmanager / "alertmanager.json").write_text(json.dumps(nobody))
    (places.run / "custom-metrics.json").write_text(json.dumps({"rules": [REQUESTS_RULE]}, indent=1))
    files = programs().alertmanager_files
    if files and not (alertmanager / ALERTMANAGER_FILES).exists():
        (alertmanager / ALERTMANAGER_FILES).symlink_to(files)


def daemons(places: Places) -> tuple[Daemon, ...]:
    """Both, and what finds the pods for the first."""
    found = programs()
    prometheus = (
        str(found.prometheus),
        f"--config.file={places.run / 'prometheus.json'}",
        f"--storage.tsdb.path={places.run / 'prometheus'}",
        f"--web.listen-address=0.0.0.0:{PROMETHEUS_PORT}",
        "--web.enable-lifecycle",
    )
    alertmanager = (
        "env",
        f"--chdir={places.run / 'alertmanager'}",
        str(found.alertmanager),
        "--config.file=alertmanager.json",
        "--storage.path=data",
        f"--web.listen-address=0.0.0.0:{ALERTMANAGER_PORT}",
        "--cluster.listen-address=",
    )
    return (
        Daemon(name="prometheus", command=prometheus),
        Daemon(name="alertmanager", command=alertmanager),
        scrape_targets(places.run, places.certificates),
        custom_metrics(places.run, places.certificates, f"http://{NODE_ADDRESS}:{PROMETHEUS_PORT}"),
    )


def _prometheus(places: Places) -> dict[str, object]:
    pki = places.certificates
    own_certificate = {
        "ca_file": str(pki / "ca.crt"),
        "cert_file": str(pki / "admin.crt"),
        "key_file": str(pki / "admin.key"),
    }
    cadvisor = {
        "scheme": "https",
        "metrics_path": "/metrics/cadvisor",
        "scrape_interval": CADVISOR_SCRAPED_EVERY,
        "tls_config": own_certificate,
        **_fixed(f"{NODE_ADDRESS}:10250"),
    }
    pods = {"file_sd_configs": [{"files": [str(places.run / "targets" / "*.json")], "refresh_interval": "5s"}]}
    return {
        "global": {"scrape_interval": PODS_SCRAPED_EVERY, "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(places.run / "rules" / "*.yml")],
        "alerting": {"alertmanagers": [_fixed(f"{NODE_ADDRESS}:{ALERTMANAGER_PORT}")]},
        "scrape_configs": [
            # Its namespace and pod are those it speaks of, not where it runs.
            {"job_name": "kube-state-metrics", "honor_labels": True, **_fixed(f"{NODE_ADDRESS}:8080")},
            {"job_name": "cadvisor", **cadvisor},
            {"job_name": "pods", **pods},
        ],
    }


def _fixed(address: str) -> dict[str, object]:
    return {"static_configs": [{"targets": [address]}]}
