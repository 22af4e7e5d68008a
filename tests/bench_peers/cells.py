"""What is measured: each cell is one load on one server, and who can make it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.bench_peers.load import Server

Mode = Literal["closed", "http2", "paced", "bimodal", "stall"]
MODES: tuple[Mode, ...] = ("closed", "http2", "paced", "bimodal", "stall")
CLOSED_CONNECTIONS = 64
HTTP2_CONNECTIONS, HTTP2_STREAMS = 4, 16  # as many requests at a time
PACED_CONNECTIONS = 128
PACED_RPS = (2_000, 5_000, 10_000, 20_000, 30_000)
BIMODAL_RPS = 5_000  # 44 of the 128 connections are busy
STALL_RPS = 20_000  # so that 128 waiting requests are less than 1 % of a second's: else every tool looks honest


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One load on one server; without a rate, flat out."""

    mode: Mode
    server: Server
    connections: int
    streams: int = 0  # of HTTP/2 on each connection; 0: HTTP/1.1
    offered_rps: int | None = None

    @property
    def name(self) -> str:
        """How people call it."""
        rate = "" if self.offered_rps is None else f" {self.offered_rps:,}/s"
        return self.mode + rate


def cells(modes: Sequence[Mode], rates_rps: Sequence[int] = PACED_RPS) -> tuple[Cell, ...]:
    """The cells of the asked modes, in order."""
    server: dict[Mode, Server] = {"bimodal": "bimodal", "stall": "stall", "http2": "http2"}
    rates: dict[Mode, Sequence[int | None]] = {
        "closed": (None,),
        "http2": (None,),
        "paced": rates_rps,
        "bimodal": (BIMODAL_RPS,),
        "stall": (STALL_RPS,),
    }
    connections: dict[Mode, int] = {"closed": CLOSED_CONNECTIONS, "http2": HTTP2_CONNECTIONS}
    return tuple(
        Cell(
            mode=mode,
            server=server.get(mode, "fast"),
            connections=connections.get(mode, PACED_CONNECTIONS),
            streams=HTTP2_STREAMS if mode == "http2" else 0,
            offered_rps=rate,
        )
        for mode in modes
        for rate in rates[mode]
    )


def truth_of(cell: Cell, paces: bool, seen: dict[str, Any], target_cpu_s: float) -> dict[str, Any]:
    """What a caller who comes when the schedule says so waits on this server, in ms."""
    match cell.server:
        case "bimodal":
            return {"p50_ms": 5.0, "p99_ms": 200.0, "p999_ms": 200.0, "from": "the server's configuration"}
        case "stall":
            # An arrival at offset t of a stall waits the rest of it and for those before it:
            # 100 - t + t * rate / capacity, and rate / capacity is how busy the target was.
            load_ratio = target_cpu_s / (seen["span_us"] / 1e6) if paces else 0.0
            return {
                "p50_ms": None,
                "p99_ms": 90 + 10 * load_ratio,
                "p999_ms": 99 + load_ratio,
                "from": "queue model",
            }
        case "fast" | "http2":
            served = seen["served_us"]
            return {
                **{f"{name}_ms": served[name] / 1e3 for name in ("p50", "p99", "p999")},
                "from": "the server's own histogram, read to written",
            }
