"""How a run ended follows from what its record and golive's signals say, the worse before the better."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.ending import how_it_ended

FAILED = {"event": "load_failed", "because": "worker 2 was not ready within 30 s"}
STARTED = {"event": "load_started"}
ABORT = {"event": "abort", "what": "failures above 50 % for 10 s"}
DONE = {"event": "load_ended", "because": "the plan is complete"}
STOPPED = {"event": "load_ended", "because": "stop requested by golive stop"}


@pytest.mark.parametrize(
    ("events", "signals", "ended"),
    [
        ([], [], ("unstarted", "no word of the master")),
        ([], ["SIGINT"], ("unstarted", "no word of the master")),
        ([FAILED], [], ("unstarted", "worker 2 was not ready within 30 s")),
        ([STARTED, DONE], [], ("complete", "the plan is complete")),
        ([STARTED, STOPPED], [], ("stopped", "stop requested by golive stop")),
        ([STARTED, ABORT, STOPPED], [], ("aborted", "failures above 50 % for 10 s")),
        ([STARTED, STOPPED], ["SIGTERM", "SIGINT"], ("interrupted", "SIGTERM")),
        ([STARTED, DONE], ["SIGINT"], ("interrupted", "SIGINT")),
        ([STARTED], [], ("failed", "the master was lost in mid-run: Killed")),
    ],
)
def test_how_it_ended(events: list[dict[str, Any]], signals: list[str], ended: tuple[str, str]) -> None:
    told = how_it_ended(
        events, signals=signals, why_unstarted=lambda: "no word of the master", why_lost=lambda: "Killed"
    )
    assert told == ended
