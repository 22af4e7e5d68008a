"""The client's own counts over the hold."""

from __future__ import annotations

from pathlib import Path

from analysis.client_load import client_load, with_parts
from analysis.evidence import assemble
from analysis.hold import hold_of
from analysis.results import read_record
from slo.evidence import ClientLoad, NotSeen
from slo.objective import Latency
from tests.analysis.flows import write_flows
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


# --- of some requests alone ----------------------------------------------------------------------


def part(folder: Path, *requests: str) -> ClientLoad | NotSeen:
    record = read_record(folder)
    asked = Latency(name="p95", quantile_ratio=0.95, below_ms=450, requests=requests)
    return with_parts(record, assemble(record)[0], [asked]).parts[requests]


def test_what_was_seen_of_some_requests_is_what_their_own_lines_say(tmp_path: Path) -> None:
    Synthetic(warm_s=2, hold_s=3, workers=2, failed={3: {"status 503": 4}}, unsent={4: 2}).write(tmp_path)
    first, other = part(tmp_path, "availability"), part(tmp_path, "create")
    assert isinstance(first, ClientLoad)
    assert isinstance(other, ClientLoad)
    assert (first.sent.tolist(), first.failed.tolist()) == ([80, 80, 78], [0, 4, 0])
    assert (other.sent.tolist(), other.failed.tolist()) == ([20, 20, 20], [0, 0, 0])
    assert (first.failed_by_kind, other.failed_by_kind) == ({"status 503": 4}, {})
    assert (first.answered.total, first.failed_latency.total, other.answered.total) == (234, 6, 60)


def test_the_parts_of_all_requests_add_up_to_the_whole(tmp_path: Path) -> None:
    run = Synthetic(warm_s=2, hold_s=6, failed={3: {"check": 9}, 5: {"reset": 1}}, unsent={4: 2})
    whole, both = seen(run, tmp_path), part(tmp_path, "create", "availability")
    assert isinstance(both, ClientLoad)
    for counts in ("due", "sent", "ok", "failed", "unavailable", "unsent"):
        assert getattr(both, counts).tolist() == getattr(whole, counts).tolist(), counts
    assert both.answered.counts.tolist() == whole.answered.counts.tolist()


def test_a_flow_stands_for_all_its_steps_and_a_step_that_polls_counts_once(tmp_path: Path) -> None:
    write_flows(tmp_path, broken=2, missing=3)  # each second ten journeys, eight of them come to ask
    flow = part(tmp_path, "order")
    assert isinstance(flow, ClientLoad)
    assert set(flow.decided) == {10 + 10 + 8}
    assert flow.failed_by_kind == {"effect missing": 3 * 20, "capture": 2 * 20}
    step = part(tmp_path, "order/shown")
    assert isinstance(step, ClientLoad)
    assert set(step.decided) == {8}


def test_requests_of_a_name_that_the_run_does_not_have_are_not_seen(tmp_path: Path) -> None:
    Synthetic().write(tmp_path)
    assert part(tmp_path, "create", "pay") == NotSeen("no request or flow of this run is called 'pay'")
