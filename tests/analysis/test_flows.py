"""A run of flows read back: what was due, how journeys went, and how long effects took to be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.client_load import client_load
from analysis.evidence import assemble
from analysis.hold import due_per_second, hold_of
from analysis.report.journey_tables import journey_tables, journeys_told
from analysis.report.load_tables import failures_table, requests_table
from analysis.report.worst_window import worst_window
from analysis.results import read_record
from scenarios.failure_kinds import meaning_of
from slo.evidence import NotSeen
from tests.analysis.flows import write_flows
from tests.analysis.records import Synthetic


def test_what_follows_an_answer_is_due_by_the_workers_counts(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", broken=2))
    due, odd = due_per_second(record)
    assert (int(due[7]), odd) == (10 + 10 + 10 + 3 * 8, "")
    client = client_load(record, hold_of(record))
    assert not isinstance(client, NotSeen)
    assert int((client.due - client.sent - client.unsent).sum()) == 0
    assert client.failed_by_kind == {"capture": 2 * 20}


@pytest.mark.parametrize(("missing", "decided", "fulfilled"), [(0, 40, 40), (1, 40, 39), (10, 40, 30)])
def test_a_step_counts_once_however_often_it_asks(tmp_path: Path, missing: int, decided: int, fulfilled: int) -> None:
    record = read_record(
        write_flows(tmp_path / "run", missing=missing)
    )  # each second ten journeys that ask thirty times
    client = client_load(record, hold_of(record))
    assert not isinstance(client, NotSeen)
    assert set(client.sent) == {60}
    assert (set(client.decided), set(client.fulfilled)) == ({decided}, {fulfilled})


def test_the_worst_window_counts_as_throughput_does(tmp_path: Path) -> None:
    evidence, _ = assemble(read_record(write_flows(tmp_path / "run")))
    worst = worst_window(evidence, ())
    assert worst
    assert (worst.due / worst.duration_s, worst.answered_rps) == (40, 40)


def test_effects_that_came_twice_are_decided_and_not_fulfilled(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", missing=2, why="effect repeated"))
    client = client_load(record, hold_of(record))
    assert not isinstance(client, NotSeen)
    assert (set(client.decided), set(client.fulfilled)) == ({40}, {38})


def test_visibility_is_no_latency_of_requests(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run"))
    client = client_load(record, hold_of(record))
    assert not isinstance(client, NotSeen)
    assert int(client.answered.values_us.max()) < 10_000
    assert not record.gaps


def test_each_step_is_listed_under_its_flow(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", broken=2))
    rows = {row[0]: row for row in requests_table(record, hold_of(record).window).rows}
    assert list(rows) == ["home", "order/search", "order/buy", "order/shown"]
    assert rows["order/buy"][1:4] == ("200", "160", "40")


def test_journeys_are_counted_from_their_first_step_to_their_last(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", broken=2, missing=1))
    flows, _ = journey_tables(record, hold_of(record).window)
    # 25 s of ten a second: two fail at `buy`, and one is never seen.
    assert flows.rows == (("order", "3", "250", "175", "70 %", "75", "buy"),)


def test_the_first_screen_tells_how_journeys_ended(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", broken=2, missing=1))
    assert journeys_told(record) == "order: 175 of 250 begun came to their end, 75 failed on the way"


def test_accepted_to_visible_stands_with_its_percentiles_and_failures(tmp_path: Path) -> None:
    record = read_record(write_flows(tmp_path / "run", missing=1))
    _, visible = journey_tables(record, hold_of(record).window)
    assert visible.rows == (("order/shown", "180", "250 ms", "30 s", "30 s", "30 s", "20", "0"),)


def test_a_plan_without_flows_has_none_of_these_tables(tmp_path: Path) -> None:
    record = read_record(Synthetic().write(tmp_path / "run"))
    assert journey_tables(record, hold_of(record).window) == ()


@pytest.mark.parametrize("kind", ["capture", "effect missing", "effect repeated"])
def test_the_failures_of_flows_are_told_in_words(tmp_path: Path, kind: str) -> None:
    record = read_record(write_flows(tmp_path / "run", broken=1, kind=kind))
    (row,) = failures_table(record, hold_of(record).window).rows
    assert (row[0], row[4]) == (kind, meaning_of(kind))
    assert row[4]
