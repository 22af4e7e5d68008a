"""The words of the bench: a load, a tool that makes it, what it said, what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Server = Literal["fast", "bimodal", "stall", "http2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one tool is asked to do once."""

    url: str
    connections: int
    seconds: int
    folder: Path  # for whatever the tool writes
    streams: int = 0  # of HTTP/2 on each connection; 0: HTTP/1.1
    offered_rps: int | None = None  # None: flat out, each connection asks again when it is answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What a tool says of its own run; None where it says nothing."""

    ok: int
    failed: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    lag_p50_ms: float | None = None
    lag_p99_ms: float | None = None
    note: str = ""


class ToolFailed(Exception):
    """A peer could not be installed, crashed, or said nothing that can be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One load generator: how it is called and how what it says is read."""

    name: str
    package: str  # what is installed for it: a name in installing.py; "" for what golive's environment has
    command: Callable[[str, Load], list[str]]
    read: Callable[[Load, str], Reported]
    paces: bool = True
    flat_out: bool = True
    http2: bool = False  # in plain text, flat out
    environment: Callable[[Load], dict[str, str]] = field(default=lambda _load: {})
