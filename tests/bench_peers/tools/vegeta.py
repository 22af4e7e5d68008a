"""vegeta with bounded workers: unbounded, it opens connections without end once one core is not enough."""

from __future__ import annotations

import json
import subprocess

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed

REPORT_WITHIN_S = 60


def command(program: str, load: Load) -> list[str]:
    """The attack alone: making the report is not generating load."""
    targets = load.folder / "targets"
    targets.write_text(f"GET {load.url}\n")
    (load.folder / "program").write_text(program)
    many = str(load.connections)
    return [
        program, "attack", f"-duration={load.seconds}s", f"-rate={load.offered_rps or 0}", f"-max-workers={many}",
        f"-workers={many}", f"-connections={many}", f"-targets={targets}", f"-output={load.folder / 'results.bin'}",
    ]  # fmt: skip


def read(load: Load, _said: str) -> Reported:
    """Its own report of its results."""
    program = (load.folder / "program").read_text()
    report = [program, "report", "-type=json", str(load.folder / "results.bin")]
    done = subprocess.run(report, capture_output=True, text=True, timeout=REPORT_WITHIN_S, check=False)
    return of_report(done.stdout)


def of_report(said: str) -> Reported:
    """Percentiles in nanoseconds; the P99.9 is not in the report."""
    try:
        found = json.loads(said)
    except ValueError as wrong:
        raise ToolFailed("vegeta reported no JSON") from wrong
    ok = int(found["status_codes"].get("200", 0))
    at = found["latencies"]
    return Reported(
        ok=ok,
        failed=int(found["requests"]) - ok,
        p50_ms=at["50th"] / 1e6,
        p99_ms=at["99th"] / 1e6,
    )


VEGETA = Tool(name="vegeta", package="vegeta", command=command, read=read)
