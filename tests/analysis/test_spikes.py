"""The spikes of a record: bounds by plan and start alone, and what was sent around them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from analysis.results import RunRecord, read_record
from analysis.spikes import around_spikes, spikes_seen
from scenarios.closed_plan import with_locustfile
from scenarios.files import load_plan
from scenarios.plan import ClosedLoad
from scenarios.profile import Phase, Profile
from slo.evidence import ClientLoad, NotSeen, SpikeSeen
from slo.objective import Recovery
from slo.recovery import recovered
from tests.analysis.records import T0, Synthetic, encoded
from tests.slo.builders import evidence

ASKED = Recovery(name="recovery", quantile_ratio=0.95, latency_below_ms=450, errors_below_ratio=0.04)


def line(*durations_s: float) -> Profile:
    """Calm, spike and calm again; the record's own rate is the same throughout."""
    rates = (10.0, 100.0, 10.0)
    return Profile(
        phases=tuple(
            Phase(name=f"p{place}", duration_s=lasts_s, from_rps=rps, to_rps=rps, judged=place == 1)
            for place, (lasts_s, rps) in enumerate(zip(durations_s, rates, strict=True))
        )
    )


RUN = Synthetic(warm_s=0, hold_s=60, plan_changes={"profile": line(15, 10, 35)})


def record_of(folder: Path, run: Synthetic = RUN) -> RunRecord:
    return read_record(run.write(folder))


def only(record: RunRecord) -> SpikeSeen:
    seen = spikes_seen(record)
    assert not isinstance(seen, NotSeen)
    (spike,) = seen
    return spike


def test_a_spikes_bounds_are_the_plans_laid_on_the_start_of_the_load(tmp_path: Path) -> None:
    spike = only(record_of(tmp_path))
    assert (spike.window.start_unix_s, spike.window.end_unix_s, spike.until_unix_s) == (T0 + 15, T0 + 25, T0 + 60)
    assert (spike.before_rps, spike.peak_rps, spike.after_rps) == (10, 100, 10)


def test_what_was_sent_is_known_from_up_to_a_minute_before_it_to_the_end_of_the_load(tmp_path: Path) -> None:
    early = only(record_of(tmp_path / "early"))
    late = Synthetic(warm_s=0, hold_s=120, plan_changes={"profile": line(75, 10, 35)})
    for spike, first, last in ((early, T0, T0 + 59), (only(record_of(tmp_path / "late", late)), T0 + 15, T0 + 119)):
        assert isinstance(spike.client, ClientLoad)
        assert (spike.client.seconds_unix[0], spike.client.seconds_unix[-1]) == (first, last)


def test_a_second_that_a_spike_has_a_part_of_is_the_spikes(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=60, plan_changes={"profile": line(14.5, 10, 35.5)})
    spike = only(record_of(tmp_path, run))
    assert (spike.window.start_unix_s, spike.window.end_unix_s) == (T0 + 14, T0 + 25)


def test_a_load_that_was_stopped_ends_the_watch(tmp_path: Path) -> None:
    assert only(record_of(tmp_path / "after", replace(RUN, stopped_at_s=40))).until_unix_s == T0 + 40
    assert only(record_of(tmp_path / "inside", replace(RUN, stopped_at_s=20))).until_unix_s == T0 + 20
    assert spikes_seen(record_of(tmp_path / "before", replace(RUN, stopped_at_s=9))) == NotSeen(
        "the load ended before the spike began"
    )


def test_a_run_without_a_rate_line_of_its_own_has_no_spike(tmp_path: Path) -> None:
    record = record_of(tmp_path)
    closed = with_locustfile(record.plan, ClosedLoad(locustfile="locustfile.py", users=3, spawn_rate=1))
    search = replace(record.plan, search=load_plan("stress", target=record.plan.target).search)
    for plan in (closed, search):
        assert isinstance(spikes_seen(replace(record, plan=plan)), NotSeen)


def test_a_plan_whose_rate_never_comes_back_has_none(tmp_path: Path) -> None:
    assert spikes_seen(record_of(tmp_path, Synthetic())) == ()


def test_what_is_reported_late_counts_in_the_second_it_was_due_in(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    assert recovered(ASKED, only(read_record(tmp_path))).broken == ()
    second = T0 + 31
    with (tmp_path / "load.hlog").open("a") as log:  # ten more histograms of a second long past, from a late delta
        log.writelines(f"Tag=create,{second}.000,1.000,0.000,{encoded(((2_000_000, 5),))}\n" for _ in range(10))
    late = {"second": second, "request": "create", "due": 0, "sent": 50, "ok": 50, "failed": {}, "unavailable": 0}
    late |= {"unsent": 0, "sent_bytes": 1, "received_bytes": 1, "worker": 0, "seq": 999}
    with (tmp_path / "seconds.jsonl").open("a") as counts:
        counts.write(json.dumps(late) + "\n")
    (window,) = recovered(ASKED, only(read_record(tmp_path))).broken
    assert (window.start_unix_s, window.sent) == (T0 + 30, 550)
    assert 2000 <= window.latency_ms < 2002


def test_what_speaks_against_the_seconds_around_a_spike_is_looked_for_from_its_onset_to_the_end(tmp_path: Path) -> None:
    record = record_of(tmp_path, replace(RUN, unsent={50: 40}))
    around = around_spikes(record, replace(evidence(), spikes=spikes_seen(record)))
    assert around is not None
    assert (around[0].hold.start_unix_s, around[0].hold.end_unix_s) == (T0 + 15, T0 + 60)
    assert isinstance(around[0].client, ClientLoad)
    assert around[0].client.unsent.sum() == 40
    assert around_spikes(record, replace(evidence(), spikes=())) is None
