"""Follows the pods that ask to be scraped and tells Prometheus: Debian's is built without its own Kubernetes discovery.

python -m tests.cluster.scrape_targets PKI_FOLDER TARGETS_FILE
"""

from __future__ import annotations

import http.client
import json
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.cluster.addresses import API_PORT, NODE_ADDRESS

SCRAPE, PORT, PATH = "prometheus.io/scrape", "prometheus.io/port", "prometheus.io/path"
APP_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
WATCH_S = 300
PODS = "/api/v1/pods"

Pod = Mapping[str, Any]


def target(pod: Pod) -> dict[str, object] | None:
    """The pod as an entry of Prometheus' file discovery; None when it is not to be scraped (now)."""
    about, status = pod["metadata"], pod.get("status", {})
    wishes = about.get("annotations", {})
    running = status.get("phase") == "Running" and status.get("podIP")
    if wishes.get(SCRAPE) != "true" or PORT not in wishes or not running:
        return None
    own = about.get("labels", {})
    app = next((own[label] for label in APP_LABELS if label in own), "")
    labels = {"namespace": about["namespace"], "pod": about["name"], "app": app, "job": "pods"}
    if PATH in wishes:
        labels["__metrics_path__"] = wishes[PATH]
    return {"targets": [f"{status['podIP']}:{wishes[PORT]}"], "labels": labels}


def main() -> None:
    """List, then watch; begin again whenever the watch ends or breaks."""
    credentials = _credentials(Path(sys.argv[1]))
    while True:
        try:
            _follow(credentials, Path(sys.argv[2]))
        except (OSError, http.client.HTTPException, ValueError) as wrong:
            print(f"the watch broke: {wrong!r}", flush=True)  # noqa: T201
            time.sleep(0.5)


def _follow(credentials: ssl.SSLContext, file: Path) -> None:
    listed = json.loads(_asked(credentials, PODS).read())
    pods = {pod["metadata"]["uid"]: pod for pod in listed["items"]}
    _write(file, pods)
    for event in _events(credentials, listed["metadata"]["resourceVersion"]):
        pod = event["object"]
        if event["type"] == "ERROR":  # 410: too old a version
            return
        if event["type"] == "DELETED":
            pods.pop(pod["metadata"]["uid"], None)
        else:
            pods[pod["metadata"]["uid"]] = pod
        _write(file, pods)


def _events(credentials: ssl.SSLContext, version: str) -> Iterator[dict[str, Any]]:
    query = urlencode({"watch": "1", "resourceVersion": version, "timeoutSeconds": WATCH_S})
    answer = _asked(credentials, f"{PODS}?{query}")
    while line := answer.readline():
        yield json.loads(line)


def _asked(credentials: ssl.SSLContext, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPSConnection(NODE_ADDRESS, API_PORT, context=credentials, timeout=WATCH_S + 30)
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status != http.HTTPStatus.OK:
        raise ValueError(f"{path}: {answer.status} {answer.reason}")
    return answer


def _write(file: Path, pods: Mapping[str, Pod]) -> None:
    found = [entry for entry in map(target, pods.values()) if entry]
    text = json.dumps(found, indent=1, sort_keys=True)
    if file.exists() and file.read_text() == text:
        return
    beside = file.with_suffix(".new")
    beside.write_text(text)
    beside.rename(file)


def _credentials(pki: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    return context


if __name__ == "__main__":
    main()
