"""fortio: one goroutine a connection, each pacing by itself."""

from __future__ import annotations

import json

from tests.bench_peers.load import Load, Reported, Tool, ToolFailed


def command(program: str, load: Load) -> list[str]:
    """`-qps 0` is flat out; the resolution is a hundredth of a millisecond."""
    return [
        program, "load", "-quiet", "-c", str(load.connections), "-qps", str(load.offered_rps or 0),
        "-t", f"{load.seconds}s", "-r", "0.00001", "-p", "50,99,99.9",
        "-json", str(load.folder / "fortio.json"), load.url,
    ]  # fmt: skip


def read(load: Load, _said: str) -> Reported:
    """Its JSON file, in seconds."""
    try:
        found = json.loads((load.folder / "fortio.json").read_text())
    except (OSError, ValueError) as wrong:
        raise ToolFailed("fortio wrote no JSON") from wrong
    codes = {code: int(count) for code, count in found["RetCodes"].items()}
    at_ms = {entry["Percentile"]: entry["Value"] * 1e3 for entry in found["DurationHistogram"]["Percentiles"]}
    ok = codes.get("200", 0)
    return Reported(
        ok=ok,
        failed=sum(codes.values()) - ok,
        p50_ms=at_ms.get(50),
        p99_ms=at_ms.get(99),
        p999_ms=at_ms.get(99.9),
    )


FORTIO = Tool(name="fortio", package="fortio", command=command, read=read)
