"""The whole command against servers that mean harm: it ends in time, and the verdict names what they did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.driving import GOLIVE, driven, findings, laid_out, outcomes, verdict_of
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TRAPS = {
    "malformed": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n\r\n",
    "too large": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
}


@pytest.mark.parametrize("kind", TRAPS)
def test_a_hostile_target_ends_in_a_verdict_that_names_what_it_did(tmp_path: Path, kind: str) -> None:
    async def harm(_line: str, _number: int) -> bytes:
        return TRAPS[kind]

    with CountingServer(harm) as server:
        laid_out(tmp_path, server.url)
        done = subprocess.run(
            [GOLIVE, "run", "short.yaml", "--target", "here"],
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode not in (0, 2), said
    assert "Traceback" not in said
    assert verdict_of(tmp_path)["outcome"] != "passed"
    (report,) = tmp_path.glob("results/*/report.md")
    (row,) = [line for line in report.read_text().splitlines() if line.startswith(f"| {kind} |")]
    assert row


def test_a_server_that_drops_requests_is_told_though_their_repetition_was_answered(tmp_path: Path) -> None:
    async def dropping(_line: str, number: int) -> bytes:
        if number % 100 == 99:
            raise ConnectionAbortedError
        return an_answer()

    with CountingServer(dropping) as server:
        laid_out(tmp_path, server.url)
        verdict = driven(tmp_path)
    assert findings(verdict).keys() == {"requests-repeated"}
    assert set(outcomes(verdict).values()) == {"met"}
