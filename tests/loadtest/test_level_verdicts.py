"""A search's levels, judged from the record: while it still grows, and when the run is over."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest

from analysis.results import RunRecord, read_record
from loadtest.level_bench import LevelBench
from loadtest.level_verdicts import judged_levels, judged_proofs, limit_seen
from loadtest.outlook import Outlook
from scenarios.search import SETTLED, Search
from scenarios.target import Target, TargetClass
from slo.evidence import BacklogSeries, NotSeen
from slo.level import JudgedLevel, LevelOutcome, LevelSays
from slo.objective import Backlog, Latency, Throughput
from tests.analysis.records import T0, Synthetic, encoded

ALONE = Target(name="hotel", url="http://127.0.0.1:8080", target_class=TargetClass.REHEARSAL)  # no Prometheus
LEVEL = (
    {"event": "leg_started", "leg": 1, "purpose": "level", "level": 1, "rate_rps": 95.0, "t0_unix_s": float(T0),
     "phases": [{"name": "level-1", "duration_s": 25.0, "from_rps": 100.0, "to_rps": 100.0, "judged": False}]},
    {"event": "level_held", "level": 1, "from_unix_s": T0 + 5, "until_unix_s": T0 + 25, "because": "decided: met"},
    {"event": "leg_ended", "leg": 1, "because": "decided: met"},
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A level of 100 requests/s that was held for 20 s, and one histogram whose counts stand in no line yet."""
    run = Synthetic(
        objectives=(Throughput(name="throughput"), Latency(name="p95", quantile_ratio=0.95, below_ms=450.0)),
        plan_changes={"search": Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0), "target": ALONE},
    )
    run.write(tmp_path)
    with (tmp_path / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 25.0, **event}) + "\n" for event in LEVEL)
    with (tmp_path / "load.hlog").open("a") as log:
        log.write(f"Tag=availability,{T0 + 26}.000,1.000,0.000,{encoded(((5000, 35),))}\n")
    return tmp_path


def only(record: RunRecord, *, under_way: bool) -> LevelSays:
    (level,) = judged_levels(record, under_way=under_way)
    return level.says


def test_a_look_between_a_deltas_histograms_and_its_counts_voids_no_level(folder: Path) -> None:
    assert only(read_record(folder), under_way=True).outcome is LevelOutcome.MET
    bench = LevelBench(read_record(folder).plan, folder, Outlook(ALONE))
    assert bench.conclude(1).outcome is LevelOutcome.MET


def test_when_the_run_is_over_the_same_is_damage_and_proves_nothing(folder: Path) -> None:
    says = only(read_record(folder), under_way=False)
    assert says.outcome is LevelOutcome.VOID
    assert says.by == ("record-gap",)


def test_no_level_is_missed_by_its_backlog_before_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_unix_s = np.arange(T0, T0 + 40, dtype=np.float64)
    rising = BacklogSeries(queue="q", source="", at_unix_s=at_unix_s, depth=100 * (at_unix_s - T0))
    monkeypatch.setattr("loadtest.level_bench.live_backlogs", lambda *_: (rising,))
    search = Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0, level_s=15.0)
    objectives = (Throughput(name="throughput"), Backlog(name="backlog"))
    run = Synthetic(objectives=objectives, plan_changes={"search": search, "target": ALONE})
    run.write(tmp_path)
    bench = LevelBench(read_record(tmp_path).plan, tmp_path, Outlook(ALONE))
    looks = [bench.look(T0 + 5.0, T0 + 5.0 + held_s, 95.0) for held_s in (14.0, 15.0)]
    assert [(one.outcome, one.by) for one in looks] == [
        (LevelOutcome.MET, ()), (LevelOutcome.MISSED, ("backlog",)),
    ]  # fmt: skip


# --- a rest -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("took_ms", "calm"), [(20.0, True), (1500.0, False)])
def test_a_rest_of_too_few_requests_for_a_verdict_still_shows_a_platform_that_is_not_back(
    tmp_path: Path, took_ms: float, calm: bool
) -> None:
    Synthetic(
        rps=5, latency_ms=lambda _t: (took_ms,),
        objectives=(Throughput(name="throughput"), Latency(name="p99", quantile_ratio=0.99, below_ms=900.0)),
        plan_changes={"search": Search(start_rps=50.0, most_rps=380.0, at_least_rps=95.0), "target": ALONE},
    ).write(tmp_path)  # fmt: skip
    says = LevelBench(read_record(tmp_path).plan, tmp_path, Outlook(ALONE)).look(T0 + 10.0, T0 + 15.0, 0.0)
    assert (says.outcome is not LevelOutcome.MISSED) is calm


def test_a_level_is_judged_by_objectives_of_some_requests_too_while_it_grows_and_afterwards(tmp_path: Path) -> None:
    slow = Latency(name="create-p95", quantile_ratio=0.95, below_ms=6.5, requests=("create",))
    search = Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0)
    Synthetic(objectives=(slow,), plan_changes={"search": search, "target": ALONE}).write(tmp_path)
    with (tmp_path / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 25.0, **event}) + "\n" for event in LEVEL)
    record = read_record(tmp_path)
    assert only(record, under_way=False) == replace(only(record, under_way=True), because=ANY)
    assert (only(record, under_way=False).outcome, only(record, under_way=False).by) == (
        LevelOutcome.MISSED, ("create-p95",)
    )  # fmt: skip
    look = LevelBench(record.plan, tmp_path, Outlook(ALONE)).look(T0 + 5.0, T0 + 25.0, 95.0)
    assert (look.outcome, look.by) == (LevelOutcome.MISSED, ("create-p95",))


# --- a level that an abort limit ended --------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "outcome", "by"),
    [
        ("status 503", LevelOutcome.MISSED, "abort limit failed_for_s"),
        ("file handles", LevelOutcome.VOID, "file-handles-exhausted"),
        ("local ports", LevelOutcome.VOID, "local-ports-exhausted"),
    ],
)
def test_a_level_ended_by_its_failures_is_missed_unless_our_own_machine_made_them(
    tmp_path: Path, kind: str, outcome: LevelOutcome, by: str
) -> None:
    failing = {t: {kind: 60} for t in range(5, 25)}
    search = Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0)
    Synthetic(failed=failing, plan_changes={"search": search, "target": ALONE}).write(tmp_path)
    what = {"event": "level_aborted", "level": 1, "limit": "failed_for_s", "what": "10 s on end: 600 failed"}
    with (tmp_path / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 25.0, **event}) + "\n" for event in (*LEVEL, what))
    says = only(read_record(tmp_path), under_way=False)
    assert (says.outcome, says.by) == (outcome, (by,))


def test_a_level_at_which_the_platform_was_gone_is_missed_although_it_ended_the_whole_run(tmp_path: Path) -> None:
    search = Search(start_rps=95.0, most_rps=380.0, at_least_rps=95.0)
    gone = {t: {"refused": 100} for t in range(5, 25)}
    Synthetic(failed=gone, mix={"availability": 1.0}, plan_changes={"search": search, "target": ALONE}).write(tmp_path)
    ended = ({"event": "level_aborted", "level": 1, "limit": "unreachable_for_s", "what": "10 s on end"},
             {"event": "leg_ended", "leg": 1, "because": "abort limit unreachable_for_s: 10 s on end"})  # fmt: skip
    with (tmp_path / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 25.0, **event}) + "\n" for event in (LEVEL[0], *ended))
    says = only(read_record(tmp_path), under_way=False)
    assert (says.outcome, says.by) == (LevelOutcome.MISSED, ("abort limit unreachable_for_s",))


def test_a_level_that_somebody_stopped_says_nothing(tmp_path: Path) -> None:
    Synthetic(plan_changes={"target": ALONE}).write(tmp_path)
    stopped = {"event": "leg_ended", "leg": 1, "because": "stop requested by golive stop"}
    with (tmp_path / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 25.0, **event}) + "\n" for event in (*LEVEL[:2], stopped))
    assert judged_levels(read_record(tmp_path)) == ()


# --- the proofs --------------------------------------------------------------------------------


def held(rate_rps: float, outcome: LevelOutcome) -> JudgedLevel:
    return JudgedLevel(
        number=1, rate_rps=rate_rps, offered_rps=rate_rps, from_unix_s=float(T0), held_s=20.0,
        says=LevelSays(outcome=outcome, because="it was so"), said_live="", held_because="", answered_rps=None,
        p95_ms=None, p99_ms=None, failed_ratio=None, judgements=(),
    )  # fmt: skip


LEVELS = (held(80.0, LevelOutcome.MET), held(100.0, LevelOutcome.MET), held(104.0, LevelOutcome.MISSED))


def known(record: RunRecord, *proofs: JudgedLevel) -> tuple[float | None, float | None]:
    seen = limit_seen(record, LEVELS, proofs)
    assert not isinstance(seen, NotSeen)
    return seen.met_rps, seen.ceiling_rps


def test_a_full_hold_that_is_missed_refutes_what_a_level_of_seconds_had_met(folder: Path) -> None:
    record = read_record(folder)
    assert known(record, held(95.0, LevelOutcome.MET)) == (100.0, 104.0)
    assert known(record, held(95.0, LevelOutcome.MISSED), held(90.2, LevelOutcome.MET)) == (90.2, 95.0)
    assert known(record, held(95.0, LevelOutcome.MISSED), held(90.2, LevelOutcome.MISSED)) == (80.0, 90.2)


def test_the_limit_says_that_it_was_a_proof_that_was_missed(folder: Path) -> None:
    seen = limit_seen(read_record(folder), LEVELS, (held(95.0, LevelOutcome.MISSED),))
    assert not isinstance(seen, NotSeen)
    assert seen.ceiling
    assert seen.ceiling.because == "in the proof's hold of 20 s it was so"


def test_a_proof_that_proves_nothing_refutes_nothing(folder: Path) -> None:
    record = read_record(folder)
    assert known(record, held(95.0, LevelOutcome.UNDECIDED), held(90.2, LevelOutcome.VOID)) == (100.0, 104.0)


def with_proof(folder: Path, *, rested_because: str) -> RunRecord:
    hold = {"name": "hold", "duration_s": 10.0, "from_rps": 100.0, "to_rps": 100.0, "judged": True}
    leg = {"event": "leg_started", "level": 0, "rate_rps": 101.0, "phases": [hold]}
    rest = {**leg, "leg": 2, "purpose": "rest", "t0_unix_s": float(T0 + 26)}
    proof = {**leg, "leg": 3, "purpose": "proof", "t0_unix_s": float(T0 + 30)}
    ends = [
        {"event": "leg_ended", "leg": 2, "because": rested_because},
        {"event": "leg_ended", "leg": 3, "because": ""},
    ]
    with (folder / "events.jsonl").open("a") as events:
        events.writelines(json.dumps({"at_unix_s": T0 + 41.0, **one}) + "\n" for one in (rest, proof, *ends))
    return read_record(folder)


@pytest.mark.parametrize("because", ["its time was over", "the platform did not settle"])
def test_a_proof_at_a_platform_that_had_not_settled_says_nothing_of_its_rate(folder: Path, because: str) -> None:
    assert judged_proofs(with_proof(folder, rested_because=because)) == ()


def test_one_at_a_platform_that_had_does(folder: Path) -> None:
    assert len(judged_proofs(with_proof(folder, rested_because=SETTLED))) == 1


def test_a_proof_is_judged_over_its_own_hold_once_it_was_driven_to_its_end(folder: Path) -> None:
    phases = [{"name": "up", "duration_s": 2.5, "from_rps": 0.0, "to_rps": 100.0, "judged": False},
              {"name": "hold", "duration_s": 10.0, "from_rps": 100.0, "to_rps": 100.0, "judged": True}]  # fmt: skip
    proof = {"event": "leg_started", "leg": 2, "purpose": "proof", "level": 0, "rate_rps": 101.0,
             "t0_unix_s": float(T0 + 30), "phases": phases}  # fmt: skip
    with (folder / "events.jsonl").open("a") as events:
        events.write(json.dumps({"at_unix_s": T0 + 30.0, **proof}) + "\n")
    assert judged_proofs(read_record(folder)) == ()
    with (folder / "events.jsonl").open("a") as events:
        events.write(json.dumps({"at_unix_s": T0 + 42.6, "event": "leg_ended", "leg": 2, "because": "its time"}) + "\n")
    (one,) = judged_proofs(read_record(folder))
    assert (one.from_unix_s, one.held_s, one.offered_rps) == (T0 + 33, 9.0, 100.0)
