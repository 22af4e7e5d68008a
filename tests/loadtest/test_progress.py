"""What a person watching a run is shown, from the record alone."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from loadtest.progress import Progress, Watcher
from loadtest.record import RecordWriter
from loadtest.tail import Tail
from scenarios.plan import ClosedLoad
from tests.loadtest.builders import SECOND, a_plan, counts, latency


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "grow"
    tail = Tail(file)
    assert tail.lines() == []
    file.write_text("one\ntw")
    assert tail.lines() == ["one"]
    file.write_text("one\ntwo\n")
    assert tail.lines() == ["two"]


def test_a_line_ends_where_its_writer_ended_it(tmp_path: Path) -> None:
    (tmp_path / "grow").write_text("a\u2028b\x85c\nd\n")
    assert Tail(tmp_path / "grow").lines() == ["a\u2028b\x85c", "d"]


def test_the_last_whole_seconds_are_shown(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.event("load_started", at_unix_s=SECOND - 1, t0_unix_s=SECOND)
    for second in range(8):
        body = {"counts": [counts(SECOND + second, ok=98, failed={"reset": 2})],
                "latency": [latency(SECOND + second, [7_000] * 98)]}  # fmt: skip
        record.delta(worker=0, seq=second + 1, body=body)
    record.close()
    moment = Watcher(tmp_path, a_plan(duration_s=20.0, rps=100.0)).look(SECOND + 10.0)
    assert moment
    assert (moment.phase, moment.offered_rps, moment.achieved_rps) == ("hold", 100.0, 98.0)
    assert moment.p99_ms == pytest.approx(7.0, rel=0.002)
    assert moment.failed == 16
    assert len(moment.plain()) <= 80


def test_how_long_effects_took_to_be_seen_is_no_latency_of_requests(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.event("load_started", at_unix_s=SECOND - 1, t0_unix_s=SECOND)
    waits = [{**latency(SECOND, [9_000_000]), "tag": f"a!{what}"} for what in ("visible", "missing")]
    record.delta(worker=0, seq=1, body={"counts": [], "latency": [latency(SECOND, [7_000]), *waits]})
    record.close()
    moment = Watcher(tmp_path, a_plan(duration_s=20.0, rps=100.0)).look(SECOND + 4.0)
    assert moment
    assert moment.p99_ms == pytest.approx(7.0, rel=0.002)


def test_before_the_load_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert Watcher(tmp_path, a_plan()).look(SECOND + 1.0) is None


def test_in_a_closed_model_nothing_is_offered(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.event("load_started", at_unix_s=SECOND - 1, t0_unix_s=SECOND)
    record.close()
    plan = replace(a_plan(duration_s=20.0), closed=ClosedLoad(locustfile="a.py", users=2, spawn_rate=1.0))
    moment = Watcher(tmp_path, plan).look(SECOND + 10.0)
    assert moment
    assert " 0 rps " in moment.plain()


def test_why_a_load_ends_is_told_when_it_does(tmp_path: Path) -> None:
    record = RecordWriter(tmp_path)
    record.event("load_started", at_unix_s=SECOND - 1, t0_unix_s=SECOND)
    record.event("interrupted", at_unix_s=SECOND, signal="SIGINT")
    record.event("stop_requested", at_unix_s=SECOND, by="SIGINT")
    record.event("abort", at_unix_s=SECOND, limit="failed_for_s", what="10 s on end: 20 due, 20 {failed}")
    record.close()
    out = StringIO()
    Progress(Watcher(tmp_path, a_plan(duration_s=20.0)), Console(file=out, soft_wrap=True))()
    assert out.getvalue().splitlines()[:2] == [
        "SIGINT: the load ends, then the run is judged; once more ends golive at once",
        "abort limit failed_for_s: 10 s on end: 20 due, 20 {failed}",
    ]
