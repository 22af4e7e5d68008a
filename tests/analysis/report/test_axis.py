import json
from pathlib import Path

from analysis.report.axis import MOST_TICKS, POINTS_AT_MOST
from slo.verdict import RunOutcome
from tests.analysis.records import T0, Synthetic
from tests.analysis.report.runs import read_back, run_of, verdict_of


def test_phases_follow_the_plan_and_end_in_the_watch(tmp_path: Path) -> None:
    axis = run_of(tmp_path / "run").page().axis
    assert axis is not None
    assert [(band.name, band.kind) for band in axis.phases] == [
        ("warm-up", "phase"), ("hold", "judged"), ("watch", "watch"),
    ]  # fmt: skip
    assert sum(band.width for band in axis.phases) == 100


def test_a_stopped_hold_ends_where_the_load_did(tmp_path: Path) -> None:
    axis = run_of(tmp_path / "run", Synthetic(stopped_at_s=15)).page().axis
    assert axis is not None
    hold = next(band for band in axis.phases if band.kind == "judged")
    assert (hold.start, hold.width) == (20.0, 40.0)


def test_a_lost_worker_is_marked_where_it_was_noticed(tmp_path: Path) -> None:
    axis = run_of(tmp_path / "run", Synthetic(workers=2, lost={1: 14})).page().axis
    assert axis is not None
    assert [(marker.at, marker.what) for marker in axis.markers] == [(50.0, "worker 1 lost: silent for 3.5 s")]


def test_an_event_that_lacks_a_field_is_still_told(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    Synthetic().write(folder)
    with (folder / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(json.dumps({"at_unix_s": T0 + 10, "event": "abort"}) + "\n")
    axis = read_back(folder, verdict_of(RunOutcome.FAILED)).page().axis
    assert axis is not None
    assert [marker.what for marker in axis.markers] == ["aborted at the limit unknown limit: unknown what"]


def test_a_long_run_keeps_its_points_and_ticks_few(tmp_path: Path) -> None:
    axis = run_of(tmp_path / "run", Synthetic(hold_s=2400, rps=2)).page().axis
    assert axis is not None
    assert axis.seconds_per_point == 3
    assert (axis.end_unix_s - axis.start_unix_s) / axis.seconds_per_point <= POINTS_AT_MOST
    assert len(axis.ticks) <= MOST_TICKS + 1


def test_without_load_there_is_no_axis(tmp_path: Path) -> None:
    from tests.analysis.report.gallery import nothing

    page = nothing(tmp_path / "run").page()
    assert (page.axis, page.panels) == (None, ())
