"""A locustfile's users behind the engine's port: what failed is told by kind, all is counted, the users are ended."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from loadtest._engine import Histograms
from loadtest.closed_counts import ClosedCounts
from loadtest.closed_event import as_counted, place_of
from loadtest.closed_kinds import kind_of, tag_of, words_of
from loadtest.closed_sender import ClosedSender
from scenarios.closed_plan import OTHER_NAMES
from scenarios.failure_kinds import is_unavailable

CatchResponseError = type("CatchResponseError", (Exception,), {})


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("exception", "status", "kind"),
    [
        (ConnectionRefusedError(), 0, "refused"),
        (requests.ConnectionError(caused(OSError(), ConnectionRefusedError())), 0, "refused"),
        (requests.ConnectionError("aborted", ConnectionResetError()), 0, "reset"),
        (requests.ConnectTimeout(), 0, "timeout connect"),
        (requests.ReadTimeout(), 0, "timeout wait"),
        (TimeoutError(), 0, "timeout wait"),
        (requests.exceptions.SSLError(), 0, "tls"),
        (caused(requests.ConnectionError(), socket.gaierror()), 0, "unreachable"),
        (requests.HTTPError(), 503, "status 503"),
        (CatchResponseError("no"), 200, "check"),
        (CatchResponseError("no"), 503, "check"),
        (KeyError("x"), 200, "exception KeyError"),
        (KeyError, 0, "exception KeyError"),
        (TimeoutError, 0, "timeout wait"),
        ("it broke", 0, "exception str"),
    ],
)
def test_an_exception_becomes_a_kind(exception: object, status: int, kind: str) -> None:
    assert kind_of(exception, status) == kind


def test_what_the_platform_did_not_answer_was_unavailable() -> None:
    kinds = ["refused", "reset", "unreachable", "timeout wait", "tls", "status 502", "status 404", "check"]
    assert [is_unavailable(kind) for kind in kinds] == [True] * 6 + [False] * 2


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_a_name_never_means_something_else_in_the_record(name: str) -> None:
    tag = tag_of(name)
    assert tag
    assert not set(tag) & set(",!\n\r\x1b\x9b")
    assert tag.encode()
    assert not tag.startswith("golive.")


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.floats(0, 1e5), st.booleans())))
def test_everything_is_counted_once_and_has_its_time(ended: list[tuple[int, str, float, bool]]) -> None:
    counts = ClosedCounts()
    for second, name, time_ms, fails in ended:
        error = ConnectionRefusedError() if fails else None
        counts.count(second=second, name=name, time_ms=time_ms, length=2, exception=error, status=0)
    body = json.loads(counts.take(timers_us=[]) or '{"counts": [], "latency": []}')
    assert sum(entry["sent"] for entry in body["counts"]) == len(ended)
    assert sum(entry["unavailable"] for entry in body["counts"]) == sum(fails for *_, fails in ended)
    assert all(entry["due"] == entry["sent"] == entry["ok"] + sum(entry["failed"].values()) for entry in body["counts"])
    histograms = Histograms()
    for entry in body["latency"]:
        histograms.add(entry["tag"], entry["hdr"])
    timed = {tag: histograms.take(tag, bounds_us=[1000])[0] for tag in histograms.tags()}
    assert sum(timed.values()) == len(ended)
    assert sum(count for tag, count in timed.items() if tag.endswith("!failed")) == sum(fails for *_, fails in ended)
    assert not counts.take(timers_us=[])


def rows_of(counts: ClosedCounts) -> dict[str, int]:
    return {entry["request"]: entry["sent"] for entry in json.loads(counts.take(timers_us=[]))["counts"]}


def test_names_without_end_share_one_row_and_the_first_keep_theirs() -> None:
    counts = ClosedCounts(most_names=2)
    for name in ["/item/1", "/item/2", "/item/3", "/item/1", "/item/4"]:
        counts.count(second=0, name=name, time_ms=1.0, length=0, exception=None, status=200)
    assert rows_of(counts) == {"/item/1": 2, "/item/2": 1, OTHER_NAMES: 2}
    counts.count(second=1, name="/item/3", time_ms=1.0, length=0, exception=None, status=200)
    assert rows_of(counts) == {OTHER_NAMES: 1}


def a_number_of_another_kind(value: object) -> dict[str, object]:
    return {"response_time": value, "response_length": value, "start_time": value, "response": Answer(value)}


@dataclass
class Answer:
    status_code: object


ODD: list[object] = [
    None,
    "",
    "OK",
    b"abc",
    float("nan"),
    float("inf"),
    -float("inf"),
    -5,
    1e300,
    timedelta(1),
    datetime(2026, 1, 1, tzinfo=UTC),
    [],
]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("fails", [False, True])
def test_an_event_counts_whatever_a_locustfile_put_into_it(value: object, fails: bool) -> None:
    sender, clock, _ = a_sender()
    clock.now_s = 104.0
    exception = ValueError() if fails else None
    sender.ended(**as_counted({"name": "a", "exception": exception, **a_number_of_another_kind(value)}))
    sender.ended(**as_counted({"name": "a"}))
    entries = json.loads(sender.drain())["counts"]
    assert sum(entry["sent"] for entry in entries) == 2
    assert sum(count for entry in entries for count in entry["failed"].values()) == fails


def test_what_was_answered_without_a_time_is_in_no_percentile() -> None:
    counts = ClosedCounts()
    for time_ms in (None, 7.0):
        counts.count(second=0, name="a", time_ms=time_ms, length=0, exception=None, status=200)
    told = json.loads(counts.take(timers_us=[]))
    (entry,), (latency,) = told["counts"], told["latency"]
    assert (entry["ok"], entry["untimed"]) == (2, 1)
    assert HdrHistogram.decode(latency["hdr"]).get_total_count() == 1


def test_figures_are_taken_as_they_are_meant() -> None:
    counted = as_counted({
        "name": "a", "response_time": Decimal("3.5"), "response_length": "12", "start_time": 7, "exception": "",
        "response": Answer("503"),
    })  # fmt: skip
    assert counted == {
        "name": "a", "time_ms": 3.5, "length": 12, "began_unix_s": 7.0, "exception": None, "status": 503,
    }  # fmt: skip


def test_what_a_task_raised_is_told_by_its_kind_and_its_line() -> None:
    sender, clock, _ = a_sender()
    sender.raised(what="KeyError at line 9 of own.py", said="before the start: users of on_start")
    clock.now_s = 104.0
    for number in range(3):
        sender.raised(what="KeyError at line 9 of own.py", said=f"no room {number}")
    first, then = json.loads(sender.drain())["raised"]
    assert (first["second"], first["count"]) == (9000, 1)
    assert then == {"second": 9003, "what": "KeyError at line 9 of own.py", "said": "no room 0", "count": 3}


@given(ANY_TEXT)
def test_what_is_said_is_one_line_that_can_be_written(said: str) -> None:
    assert words_of(said).encode().count(b"\n") == 0


def test_a_place_is_the_innermost_line_of_the_locustfile() -> None:
    with pytest.raises(ValueError, match="enclosed") as seen:
        json.loads("{")
    raised = seen.value
    here = place_of(raised, raised.__traceback__, __file__)
    assert re.fullmatch(r"JSONDecodeError at line \d+ of test_closed_model.py", here)
    assert "decoder.py" in place_of(raised, raised.__traceback__, "/elsewhere.py")


@dataclass
class Clock:
    now_s: float = 100.0

    def unix_s(self) -> float:
        return self.now_s + 5000.0

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep_s(self, duration_s: float) -> None:
        self.now_s += duration_s


@dataclass
class Users:
    count: int = 3
    asked: int = 0

    def problem(self) -> str:
        return ""

    def running(self) -> int:
        return self.count

    def end(self) -> None:
        self.asked += 1


def a_sender(duration_s: float = 10.0) -> tuple[ClosedSender, Clock, Users]:
    clock, users = Clock(), Users()
    sender = ClosedSender(plan=json.dumps({"duration_s": duration_s}), clock=clock, users=users)
    sender.start(start_in_us=1_000_000, start_unix_us=9_000_000_000, lease_us=5_000_000)
    return sender, clock, users


def ended(sender: ClosedSender, **what: Any) -> None:
    sender.ended(**{"name": "a", "length": 0, "exception": None, "status": 200, **what})


def test_a_request_is_booked_in_the_second_of_its_send_on_the_masters_clock() -> None:
    sender, clock, _ = a_sender()
    clock.now_s = 104.5  # 3.5 s after the start, which is second 9000
    ended(sender, began_unix_s=clock.unix_s() - 2.0, time_ms=2000.0)
    ended(sender, began_unix_s=None, time_ms=100.0)
    assert [entry["second"] for entry in json.loads(sender.drain())["counts"]] == [9001, 9003]


@pytest.mark.parametrize("of_another_clock_s", [12.0, 5e12], ids=["monotonic", "in ms"])
def test_a_start_of_another_clock_is_none(of_another_clock_s: float) -> None:
    sender, clock, _ = a_sender()
    clock.now_s = 104.5
    ended(sender, began_unix_s=of_another_clock_s, time_ms=100.0)
    assert [entry["second"] for entry in json.loads(sender.drain())["counts"]] == [9003]


def test_users_are_ended_when_halted_and_it_is_done_when_they_are_gone() -> None:
    sender, clock, users = a_sender()
    clock.now_s = 102.0
    assert sender.state() == "running"
    sender.halt(because="abort limit")
    assert users.asked
    assert sender.state() == "draining"
    users.count = 0
    assert (sender.state(), sender.halted_because()) == ("done", "abort limit")


def test_users_that_the_locustfile_ended_are_told_as_such_and_those_that_golive_ended_are_not() -> None:
    sender, clock, _ = a_sender()
    clock.now_s = 102.0
    sender.over()
    assert "the locustfile ended its users" in sender.halted_because()
    sender.halt(because="abort limit")
    assert "the locustfile ended its users" in sender.halted_because()

    halted, clock, _ = a_sender()
    halted.halt(because="abort limit")
    halted.over()
    assert halted.halted_because() == "abort limit"

    at_its_end, clock, _ = a_sender(duration_s=2.0)
    at_its_end.renew_lease(lease_us=60_000_000)
    clock.now_s = 104.9
    at_its_end.over()
    assert at_its_end.halted_because() == ""


def test_users_are_ended_when_the_master_is_silent() -> None:
    sender, clock, users = a_sender()
    clock.now_s = 105.5
    assert sender.state() == "draining"
    assert users.asked
    assert "silent" in sender.halted_because()


def test_users_are_ended_at_the_plans_end_if_nobody_else_did() -> None:
    sender, clock, users = a_sender(duration_s=2.0)
    sender.renew_lease(lease_us=60_000_000)
    clock.now_s = 104.9
    assert sender.state() == "draining"
    assert users.asked
    assert sender.halted_because() == ""
