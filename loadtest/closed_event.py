"""What a locustfile put into a `request` event, as golive counts it: each event counts, whatever it holds. Pure."""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any


def as_counted(event: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `ClosedSender.ended`. What is no figure counts as one that was not given."""
    length = figure(event.get("response_length"))
    status = figure(getattr(event.get("response"), "status_code", None))
    return {
        "name": event.get("name", ""),
        "time_ms": figure(event.get("response_time")),
        "length": int(length) if length and math.isfinite(length) else 0,
        "exception": event.get("exception") or None,  # as Locust takes it: "" and 0 are no failure
        "status": int(status) if status and math.isfinite(status) else 0,
        "began_unix_s": figure(event.get("start_time")),
    }


def figure(value: Any) -> float | None:
    """A number that was given as one, or as its text; None for what is none."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def place_of(raised: BaseException, trace: TracebackType | None, own: str) -> str:
    """What a task raised and in which line of the locustfile: the same for all that fail alike. own: its path."""
    frames = traceback.extract_tb(trace)
    in_own = [frame for frame in frames if frame.filename == own] or frames
    where = f" at line {in_own[-1].lineno} of {in_own[-1].filename.rpartition('/')[2]}" if in_own else ""
    return f"{type(raised).__name__}{where}"
