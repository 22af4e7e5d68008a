"""What a trial looks like in a terminal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.trial import Tried, secret_captures
from loadtest.trial_table import COLUMNS, trial_lines
from scenarios.workload import Capture, Captured, Flow, Request, Step, Text, Workload


def tried(request: str, **changes: Any) -> Tried:
    usual: dict[str, Any] = {
        "failure": "", "seen": "", "status": 200, "took_us": 5100, "attempts": 1, "visible_us": None, "captured": (),
        "skipped": False,
    }  # fmt: skip
    return Tried(request=request, **{**usual, **changes})


def test_each_request_has_its_status_and_time_and_what_was_captured_beneath() -> None:
    lines = trial_lines((
        tried("booking/search", captured=(("offer", "offer-0001"), ("price", "18900"))),
        tried("booking/confirmed", took_us=2_000, visible_us=205_000, attempts=3),
    ))  # fmt: skip
    assert lines == [
        "  step               status       time",
        "  booking/search        200     5.1 ms",
        "    captured offer = offer-0001, price = 18900",
        "  booking/confirmed     200     2.0 ms",
        "    visible 205 ms after it was accepted (3 attempts)",
        "All 2 answered as expected.",
    ]


def test_a_failure_says_what_was_seen_and_what_was_not_sent_behind_it() -> None:
    lines = trial_lines((
        tried("a/book", failure="check", seen='/status is "pending", not "done"'),
        tried("a/pay", status=0, skipped=True),
        tried("b", failure="refused", status=0),
    ))  # fmt: skip
    assert lines[1:] == [
        "x a/book     200     5.1 ms",
        '    check: /status is "pending", not "done"',
        "- a/pay   not sent: a step before it failed",
        "x b            —          —",
        "    refused: nothing accepted the connection",
        "2 of 3 failed, 1 behind them not sent. Mend the workload, or the target, before",
        "any load.",
    ]


texts = st.text(max_size=200)


@given(st.lists(st.tuples(texts, texts, texts, st.booleans()), min_size=1, max_size=5))
def test_no_line_is_longer_than_a_terminal_nor_steers_it(told: list[tuple[str, str, str, bool]]) -> None:
    rows = tuple(
        tried(name, failure=failure, seen=seen, captured=((seen, name),), skipped=skipped)
        for name, failure, seen, skipped in told
    )
    for line in trial_lines(rows):
        assert len(line) <= COLUMNS
        assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in line)


@pytest.mark.parametrize(
    ("capture", "header", "secret"),
    [
        (Capture.json("access_token", "/t"), "X-Any", True),
        (Capture.json("bearer", "/t"), "Authorization", True),
        (Capture.json("id", "/id"), "X-Booking", False),
    ],
)
def test_what_is_captured_as_a_secret_is_known_by_its_name_or_its_header(
    capture: Capture, header: str, secret: bool
) -> None:
    using = Request(name="b", method="GET", path="/", headers={header: Text(("Bearer ", Captured(capture.name)))})
    steps = (Step(Request(name="a", method="GET", path="/", captures=(capture,))), Step(using))
    asked = Workload(name="w", flows=(Flow(name="f", weight=1, steps=steps),))
    assert secret_captures(asked) == ([capture.name] if secret else [])
