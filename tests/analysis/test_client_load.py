"""The client's own counts over the hold."""

from __future__ import annotations

from pathlib import Path

from analysis.client_load import client_load
from analysis.hold import hold_of
from analysis.results import read_record
from slo.evidence import ClientLoad, NotSeen
from tests.analysis.records import T0, Synthetic


def seen_of(run: Synthetic, folder: Path) -> ClientLoad | NotSeen:
    record = read_record(run.write(folder))
    return client_load(record, hold_of(record))


def seen(run: Synthetic, folder: Path) -> ClientLoad:
    load = seen_of(run, folder)
    assert isinstance(load, ClientLoad)
    return load


def test_every_second_of_the_hold_has_its_counts(tmp_path: Path) -> None:
    run = Synthetic(warm_s=2, hold_s=3, workers=3, failed={3: {"status 503": 4, "check": 1}}, unsent={4: 2})
    load = seen(run, tmp_path)
    assert load.seconds_unix.tolist() == [T0 + 2, T0 + 3, T0 + 4]
    assert load.due.tolist() == [100, 100, 100]
    assert load.sent.tolist() == [100, 100, 98]
    assert load.ok.tolist() == [100, 95, 98]
    assert load.failed.tolist() == [0, 5, 0]
    assert load.unavailable.tolist() == [0, 4, 0]
    assert load.unsent.tolist() == [0, 0, 2]
    assert load.failed_by_kind == {"status 503": 4, "check": 1}


def test_the_ramp_is_not_part_of_the_hold(tmp_path: Path) -> None:
    load = seen(Synthetic(warm_s=5, hold_s=5, failed={2: {"reset": 9}}), tmp_path)
    assert load.failed_by_kind == {}
    assert int(load.ok.sum()) == load.answered.total == 500


def test_answers_and_failures_have_tables_of_their_own(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=2, failed={1: {"status 503": 3}}, unsent={0: 2}, timeout_s=4.0)
    load = seen(run, tmp_path)
    assert load.answered.counts.sum(axis=1).tolist() == [98, 97]
    assert load.failed_latency.counts.sum(axis=1).tolist() == [2, 3]
    assert load.failed_latency.values_us[-1] >= 4_000_000  # the unanswered stand at their timeout


def test_due_is_the_plans_also_when_a_worker_is_lost(tmp_path: Path) -> None:
    load = seen(Synthetic(warm_s=0, hold_s=4, workers=2, lost={1: 2}), tmp_path)
    assert load.due.tolist() == [100, 100, 100, 100]
    assert load.sent.tolist() == [100, 100, 50, 50]


def test_the_whole_load_is_counted_for_reconciling(tmp_path: Path) -> None:
    run = Synthetic(warm_s=5, hold_s=5, failed={1: {"refused": 10, "status 500": 3}, 7: {"timeout wait": 4}})
    load = seen(run, tmp_path)
    assert load.load_sent == 1000
    assert load.load_answered == 1000 - 10 - 4


def test_what_was_sent_a_second_time_is_counted_over_the_whole_load(tmp_path: Path) -> None:
    load = seen(Synthetic(warm_s=5, hold_s=5, workers=2, repeated={1: 4, 7: 3}), tmp_path)
    assert (load.load_sent, load.load_repeated, int(load.ok.sum())) == (1000, 7, 500)


def test_no_load_is_not_seen(tmp_path: Path) -> None:
    load = seen_of(Synthetic(warm_s=5, hold_s=5, stopped_at_s=3), tmp_path)
    assert load == NotSeen("the load ended before the hold began")


def test_a_hold_nobody_reported_of_is_not_seen(tmp_path: Path) -> None:
    load = seen_of(Synthetic(warm_s=5, hold_s=5, lost={0: 4}), tmp_path)
    assert load == NotSeen("no worker reported anything of the hold")
