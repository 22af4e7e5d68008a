"""The facts about the measuring, from the record alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.hold import hold_of
from analysis.measurement import measurement_of, quantiles_us
from analysis.results import read_record
from slo.evidence import LatencyTable
from slo.objective import Latency
from slo.validity import Measurement
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic


def measured(run: Synthetic, folder: Path, *events: dict[str, object]) -> Measurement:
    run.write(folder)
    with (folder / "events.jsonl").open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
    record = read_record(folder)
    return measurement_of(record, hold_of(record))


def test_a_clean_run_has_nothing_to_say(tmp_path: Path) -> None:
    facts = measured(Synthetic(workers=2), tmp_path)
    assert facts.record_gaps == ()
    assert facts.cut_short == ""
    assert not facts.master_lost
    assert [worker.lost_at_unix_s for worker in facts.workers] == [None, None]


def test_lag_is_that_of_everything_sent_in_the_hold(tmp_path: Path) -> None:
    facts = measured(Synthetic(lag_us=700), tmp_path)
    assert (facts.lag_p50_us, facts.lag_p99_us) == (700, 700)


def test_half_a_second_that_golive_stood_still_shows_where_one_in_a_thousand_is_promised(tmp_path: Path) -> None:
    stood_still = {"hold_s": 100, "lag_us": lambda t: 250_000 if t == 50 else 120}
    strict = (Latency(name="p99.9", quantile_ratio=0.999, below_ms=900.0),)
    usual, asked = Synthetic(**stood_still), Synthetic(**stood_still, objectives=strict)  # type: ignore[arg-type]
    assert measured(usual, tmp_path / "usual").lag_strictest_us == 120
    facts = measured(asked, tmp_path / "strict")
    assert (facts.lag_p99_us, facts.strictest_ratio) == (120, 0.999)
    assert facts.lag_strictest_us == pytest.approx(250_000, rel=0.001)


def test_requests_in_flight_obey_littles_law(tmp_path: Path) -> None:
    facts = measured(Synthetic(rps=1000, workers=3, latency_ms=lambda _t: (20.0,)), tmp_path)
    assert facts.mean_in_flight == pytest.approx(1000 * 0.020, rel=0.01)


def test_littles_law_holds_between_the_samples_and_the_service_times(tmp_path: Path) -> None:
    run = Synthetic(warm_s=3, hold_s=10, rps=1000, latency_ms=lambda _t: (20.0, 40.0))
    facts = measured(run, tmp_path)
    assert facts.under_way_s == pytest.approx((10 * 1000 * 0.030,) * 2, rel=0.01)
    assert facts.mean_in_flight == pytest.approx(1000 * 0.030, rel=0.01)


def test_a_lost_workers_requests_are_not_in_flight(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=10, rps=1000, workers=2, lost={1: 5}, latency_ms=lambda _t: (20.0,))
    assert measured(run, tmp_path).mean_in_flight == pytest.approx(750 * 0.020, rel=0.01)


def test_a_lost_worker_is_lost_since_its_last_delta(tmp_path: Path) -> None:
    facts = measured(Synthetic(workers=2, lost={1: 12}), tmp_path)
    assert (facts.workers[1].lost_at_unix_s, facts.workers[1].lost_because) == (T0 + 12, "silent for 3.5 s")
    assert facts.workers[1].last_seq == 12
    assert facts.record_gaps == ()  # that it was lost says it all
    assert facts.uncounted_at_most == 5 * 50  # its half of what is due in 5 s


def test_a_worker_that_came_back_is_not_lost(tmp_path: Path) -> None:
    silent = {"at_unix_s": T0 + 9.0, "event": "worker_lost", "worker": 0, "because": "silent", "last_delta_unix_s": T0}
    back = {"at_unix_s": T0 + 11.0, "event": "worker_returned", "worker": 0}
    halted = {"at_unix_s": T0 + 12.0, "event": "worker_lost", "worker": 0, "because": "its engine stopped"}
    assert measured(Synthetic(), tmp_path / "a", silent, back).workers[0].lost_at_unix_s is None
    assert measured(Synthetic(), tmp_path / "b", silent, back, halted).workers[0].lost_at_unix_s == T0 + 12


def test_throttling_and_noise_are_those_of_the_hold(tmp_path: Path) -> None:
    facts = measured(Synthetic(throttled_ratio=0.3, control_timer_us=900, clock_offset_s=0.4), tmp_path)
    worker = facts.workers[0]
    assert worker.throttled_ratio == pytest.approx(0.3, abs=0.01)
    assert (worker.control_timer_p99_us, worker.clock_offset_s) == (900, 0.4)


def test_a_killed_run_has_lost_its_master(tmp_path: Path) -> None:
    facts = measured(Synthetic(killed=True, stopped_at_s=12), tmp_path)
    assert facts.master_lost
    assert facts.cut_short == "golive was killed, or the run is not over yet"
    assert facts.record_gaps == ()  # that the load ended early says it all


def test_a_run_killed_while_it_drained_says_whose_counts_are_missing(tmp_path: Path) -> None:
    run = Synthetic(killed=True, workers=2)
    ended = {"at_unix_s": run.load_end_unix_s, "event": "load_ended", "because": "the plan is complete"}
    drained = {"at_unix_s": run.load_end_unix_s + 1, "event": "worker_drained", "worker": 0, "last_seq": 25}
    facts = measured(run, tmp_path, ended, drained)
    assert facts.record_gaps == ("the last counts of worker 1 never arrived: golive was killed",)
    assert (facts.master_lost, facts.cut_short) == (False, "")


def test_a_worker_that_came_too_late_is_remembered(tmp_path: Path) -> None:
    late = {"at_unix_s": T0 + 3.0, "event": "worker_late", "id": "w9"}
    assert measured(Synthetic(), tmp_path, late).worker_late_at_unix_s == (T0 + 3,)


def test_a_stopped_run_says_who_cut_it_short(tmp_path: Path) -> None:
    assert measured(Synthetic(stopped_at_s=12), tmp_path).cut_short == "stop requested by a test"


def test_a_changed_rate_is_remembered(tmp_path: Path) -> None:
    change = {"at_unix_s": T0 + 7.5, "event": "rate_changed", "by": "the web UI", "what": "200 users"}
    assert measured(Synthetic(), tmp_path, change).rate_changed_at_unix_s == (T0 + 7.5,)


def test_a_wall_clock_that_was_set_is_remembered(tmp_path: Path) -> None:
    step = {"at_unix_s": T0 + 7.5, "event": "clock_stepped", "by_s": -2.0}
    assert measured(Synthetic(), tmp_path, step).clock_steps == ((T0 + 7.5, -2.0),)


def test_halves_of_a_record_that_disagree_are_a_gap(tmp_path: Path) -> None:
    Synthetic(warm_s=0, hold_s=3).write(tmp_path)
    lines = (tmp_path / "seconds.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "seconds.jsonl").write_text("".join(lines[:-1]))
    record = read_record(tmp_path)
    gaps = measurement_of(record, hold_of(record)).record_gaps
    assert gaps == ("load.hlog holds 300 answered requests, seconds.jsonl 280",)


def test_a_hole_in_the_scrapes_is_measured_beyond_their_usual_distance(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=60)
    Watched(run=run, scrape_every_s=2.0, holes=((20.0, 39.0),)).pull(run.write(tmp_path))
    record = read_record(tmp_path)
    assert measurement_of(record, hold_of(record)).metrics_gap_s == pytest.approx(40.4 - 18.4 - 2)


def test_a_slow_scrape_interval_is_no_hole(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=120)
    Watched(run=run, scrape_every_s=30.0).pull(run.write(tmp_path))
    record = read_record(tmp_path)
    assert measurement_of(record, hold_of(record)).metrics_gap_s == 0.0


@pytest.mark.parametrize(("name", "kind"), [("backlog", "backlog"), ("hpa_desired", "scaling")])
def test_an_exporter_that_was_gone_leaves_a_hole_in_its_own_series(tmp_path: Path, name: str, kind: str) -> None:
    run = Synthetic(warm_s=0, hold_s=60)
    Watched(run=run).pull(run.write(tmp_path))
    pulled = tmp_path / "evidence" / f"{name}.json"
    content = json.loads(pulled.read_text())
    for series in content["result"]:
        series["values"] = [pair for pair in series["values"] if not T0 + 20 < pair[0] < T0 + 50]
    pulled.write_text(json.dumps(content))
    record = read_record(tmp_path)
    facts = measurement_of(record, hold_of(record))
    assert facts.metrics_gap_s == 0.0
    assert facts.series_gaps_s == {"backlog": 0.0, "scaling": 0.0, kind: pytest.approx(50 - 20 - 1)}


def test_a_prometheus_that_died_leaves_a_hole_to_the_end(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=60)
    Watched(run=run, holes=((25.0, 999.0),)).pull(run.write(tmp_path))
    record = read_record(tmp_path)
    assert measurement_of(record, hold_of(record)).metrics_gap_s == pytest.approx(60 - 24.4 - 1)


def test_quantiles_are_values_that_enough_requests_do_not_exceed() -> None:
    table = LatencyTable(values_us=np.array([1, 5, 9]), counts=np.array([[50, 0, 0], [0, 49, 1]]))
    assert quantiles_us(table, (0.5, 0.51, 0.99, 1.0)) == (1, 5, 5, 9)
    assert quantiles_us(LatencyTable(values_us=np.array([], int), counts=np.zeros((3, 0), int)), (0.5,)) == (0,)
