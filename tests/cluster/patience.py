"""Wait for what a cluster does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(ask: Callable[[], T], holds: Callable[[T], bool], *, within_s: float = 60.0) -> T:
    """Ask until the answer holds; the last answer is in the message when it never does."""
    until = time.monotonic() + within_s
    while not holds(answer := ask()):
        assert time.monotonic() < until, f"still {answer!r} after {within_s:.0f} s"
        time.sleep(0.5)
    return answer
