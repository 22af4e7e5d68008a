"""The whole command at a server that asks for a client certificate: counts agree; a wrong one is told before load."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.certificates import a_certificate, an_authority
from tests.end_to_end.driving import GOLIVE, HOLD_S, RPS, laid_out
from tests.http_server import CountingServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

AUTHORITIES = ("authority", "stranger")


def asking_for_certificates(folder: Path) -> ssl.SSLContext:
    """A server's TLS that takes clients of the authority only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.load_verify_locations(folder / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def run(folder: Path, url: str, client: str) -> subprocess.CompletedProcess[str]:
    """Run golive with a client's certificate."""
    tls = f"client_certificate_file: {client}.pem, client_key_file: {client}.key"
    laid_out(folder, url, SENDING=f"{{connections: 16, trust_ca_file: authority.pem, tls: {{{tls}}}}}")
    return subprocess.run(
        [GOLIVE, "run", "short.yaml", "--target", "here"],
        cwd=folder, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def test_a_server_that_asks_for_a_client_certificate_counts_what_golive_counts(tmp_path: Path) -> None:
    for name in AUTHORITIES:
        an_authority(tmp_path, name)
    for name, by in (("server", "authority"), ("client", "authority"), ("impostor", "stranger")):
        a_certificate(tmp_path, name, by=by)
    with CountingServer(secured=asking_for_certificates(tmp_path)) as server:
        wrong = run(tmp_path, server.url, "impostor")
        assert wrong.returncode == 4, wrong.stdout + wrong.stderr
        assert "No load began: the TLS handshake with 127.0.0.1" in " ".join((wrong.stdout + wrong.stderr).split())
        assert server.total == 0
        right = run(tmp_path, server.url, "client")
        assert right.returncode == 0, right.stdout + right.stderr
    written = max((tmp_path / "results").iterdir())  # by their names, which begin with the time
    seconds = [json.loads(line) for line in (written / "seconds.jsonl").read_text().splitlines()]
    assert server.total == sum(entry["ok"] for entry in seconds) == RPS // 2 + HOLD_S * RPS
    key = (tmp_path / "client.key").read_text().splitlines()[1]
    assert not [file for file in written.rglob("*") if file.is_file() and key.encode() in file.read_bytes()]
