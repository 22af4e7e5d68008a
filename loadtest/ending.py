"""How a run ended, by the events of its record: what its header says, and the command's exit code follows from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

THE_PLAN_IS_COMPLETE = "the plan is complete"


def how_it_ended(
    events: Iterable[Mapping[str, Any]],
    *,
    signals: Sequence[str],
    why_unstarted: Callable[[], str],
    why_lost: Callable[[], str],
) -> tuple[str, str]:
    """One of unstarted, interrupted, aborted, failed, stopped, complete; and why, in words.

    signals: those golive got, the first one first. why_unstarted, why_lost: asked only when the events do not say.
    """
    last = {str(event["event"]): event for event in events}
    if "load_failed" in last:
        return "unstarted", str(last["load_failed"]["because"])
    if "load_started" not in last:
        return "unstarted", why_unstarted()
    if signals:
        return "interrupted", signals[0]
    if "abort" in last:
        return "aborted", str(last["abort"]["what"])
    if "load_ended" not in last:
        return "failed", f"the master was lost in mid-run: {why_lost()}"
    because = str(last["load_ended"]["because"])
    return ("complete" if because == THE_PLAN_IS_COMPLETE else "stopped"), because
