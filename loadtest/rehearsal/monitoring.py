"""The stage's real Prometheus and Alertmanager: their configuration files and command lines."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from loadtest.rehearsal.binaries import Monitoring

ALERT_RULES = Path(__file__).with_name("alerts.yaml")
ANSWER_WITHIN_S = 2.0


def write_prometheus_config(
    folder: Path, *, platform_admin: str, alertmanager: str, scrape_s: float, golive: str = ""
) -> Path:
    """Scrape the platform's two metrics pages and golive's; evaluate the rules as often; alert through Alertmanager."""
    every = f"{scrape_s:g}s"
    scrape = [
        _job("platform", "/metrics", platform_admin),
        _job("kube-state-metrics", "/kube-state-metrics", platform_admin),
        *([_job("golive", "/metrics", golive)] if golive else []),
    ]
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(ALERT_RULES)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": scrape,
    }
    return _written(folder / "prometheus.yml", config)


def _job(name: str, path: str, address: str) -> dict[str, Any]:
    return {"job_name": name, "metrics_path": path, "static_configs": [{"targets": [address]}]}


def write_alertmanager_config(folder: Path, *, webhook_url: str | None = None) -> Path:
    """Take alerts at once and tell the webhook, or nobody when there is none."""
    route = {"receiver": "golive", "group_wait": "0s", "group_interval": "1s", "group_by": ["alertname"]}
    receiver: dict[str, Any] = {"name": "golive"}
    if webhook_url:
        receiver["webhook_configs"] = [{"url": webhook_url, "send_resolved": True}]
    return _written(folder / "alertmanager.yml", {"route": route, "receivers": [receiver]})


def _written(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def prometheus_command(programs: Monitoring, config: Path, folder: Path, address: str) -> list[str]:
    """Loopback only, its data in the stage's folder."""
    return [
        str(programs.prometheus), f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={address}", "--log.level=warn", "--enable-feature=native-histograms",
    ]  # fmt: skip


def alertmanager_command(programs: Monitoring, config: Path, folder: Path, address: str) -> list[str]:
    """Loopback only, without a cluster."""
    return [
        str(programs.alertmanager), f"--config.file={config}", f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=warn",
    ]  # fmt: skip


def is_ready(address: str) -> bool:
    """Whether a Prometheus or an Alertmanager says that it is."""
    return _get(f"http://{address}/-/ready") is not None


def scrapes(address: str) -> set[str]:
    """The jobs whose targets are up, by Prometheus itself."""
    said = _get(f"http://{address}/api/v1/query?query=up%3D%3D1")
    if said is None:
        return set()
    return {sample["metric"].get("job", "") for sample in json.loads(said)["data"]["result"]}


def has_rules(address: str) -> bool:
    """Whether the alert rules are loaded."""
    said = _get(f"http://{address}/api/v1/rules")
    return said is not None and bool(json.loads(said)["data"]["groups"])


def version_of(program: Path) -> str:
    """What a program says of its version: the third word of its first line."""
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=10, check=False)
    words = (said.stdout or said.stderr).split()
    return words[2] if len(words) > 2 else "unknown"


def _get(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_WITHIN_S) as answer:
            return bytes(answer.read())
    except (urllib.error.URLError, OSError, ValueError):
        return None
