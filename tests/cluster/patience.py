"""Wait for what a cluster does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from scenarios.errors import StageFailed

T = TypeVar("T")


def eventually(ask: Callable[[], T], holds: Callable[[T], bool], *, within_s: float = 60.0) -> T:
    """Ask until the answer holds; the last answer is in the message when it never does.

    To be refused is an answer, too, and not the one waited for: a Service's rules reach the node, a pod its address
    and Prometheus its port some time after they are asked for.
    """
    until = time.monotonic() + within_s
    while True:
        try:
            answer = ask()
        except (StageFailed, OSError) as refused:
            said = f"refused ({refused})"
        else:
            if holds(answer):
                return answer
            said = repr(answer)
        assert time.monotonic() < until, f"still {said} after {within_s:.0f} s"
        time.sleep(0.5)
