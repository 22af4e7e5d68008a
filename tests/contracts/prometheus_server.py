"""A real Prometheus over samples that a test wrote down; loopback, a free port, a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from analysis.ports import Series


def prometheus_binary() -> Path | None:
    """Where Prometheus is: GOLIVE_PROMETHEUS, the path, or where `make setup` unpacked it."""
    unpacked = sorted(Path.home().glob(".cache/golive/monitoring*/**/bin/prometheus"))
    named = os.environ.get("GOLIVE_PROMETHEUS") or shutil.which("prometheus") or next(iter(map(str, unpacked)), None)
    return Path(named) if named else None


@contextmanager
def prometheus_over(stored: Mapping[str, Sequence[Series]], folder: Path, binary: Path) -> Iterator[str]:
    """Serve these samples (metric name → series); yields the server's address."""
    written = folder / "samples.txt"
    written.write_text(_openmetrics(stored))
    blocks = folder / "blocks"
    tool = binary.with_name("promtool")
    make = [str(tool), "tsdb", "create-blocks-from", "openmetrics", str(written), str(blocks)]
    subprocess.run(make, check=True, capture_output=True)
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    with _serving(folder, blocks, binary) as url:
        yield url


@contextmanager
def prometheus_scraping(addresses: Mapping[str, str], folder: Path, binary: Path, *, every: str) -> Iterator[str]:
    """Scrape these addresses (job → HOST:PORT) as often as said; yields the server's address."""
    jobs = [{"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in addresses.items()]
    timing = {"scrape_interval": every, "scrape_timeout": every}
    (folder / "prometheus.yml").write_text(json.dumps({"global": timing, "scrape_configs": jobs}))  # JSON is YAML
    with _serving(folder, folder / "tsdb", binary) as url:
        yield url


@contextmanager
def _serving(folder: Path, storage: Path, binary: Path) -> Iterator[str]:
    port = _free_port()
    with (folder / "prometheus.log").open("w") as log:
        server = subprocess.Popen(
            [
                binary,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={storage}",
                "--storage.tsdb.retention.time=50y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stderr=log,
        )
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _openmetrics(stored: Mapping[str, Sequence[Series]]) -> str:
    lines = []
    for name, series in stored.items():
        lines.append(f"# TYPE {name} unknown")
        for one in series:
            labels = ",".join(
                f"{label}={json.dumps(value)}" for label, value in one.labels.items() if label != "__name__"
            )
            pairs = zip(one.at_unix_s, one.values, strict=True)
            lines += [f"{name}{{{labels}}} {value:g} {at:.3f}" for at, value in pairs]
    return "\n".join([*lines, "# EOF\n"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert server.poll() is None, "Prometheus ended at once"
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError("Prometheus was not ready within 10 s")
