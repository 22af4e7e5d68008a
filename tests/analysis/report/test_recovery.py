"""What the report says of a spike: a table of its instants, lanes of broken windows, marks on the time axis."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.page import Page
from tests.analysis.records import Synthetic
from tests.analysis.report.runs import run_of
from tests.analysis.spiked import spiked


def page_of(folder: Path, **changes: object) -> Page:
    return run_of(folder / "run", spiked(**changes)).page()  # type: ignore[arg-type]


def rows(page: Page) -> list[dict[str, str]]:
    assert page.recovery is not None
    titles = [column.title for column in page.recovery.columns]
    return [dict(zip(titles, row, strict=True)) for row in page.recovery.rows]


def marks(page: Page) -> list[tuple[str, str]]:
    assert page.axis is not None
    return [(marker.when, marker.what) for marker in page.axis.markers]


def test_a_table_tells_when_the_promises_broke_and_held_again(tmp_path: Path) -> None:
    assert rows(page_of(tmp_path)) == [{
        "Spike": "0:20 to 0:30", "Requests/s": "10 → 100 → 10", "Promises": "P95 < 450 ms and errors < 4 %, each 5 s",
        "Broken windows": "9 of 14", "First broken": "0:20", "Held again": "1:05", "From its end": "35 s",
        "From its onset": "45 s", "Stayed held": "25 s", "Worst window": "P95 900 ms, 0 % failed",
    }]  # fmt: skip


def test_the_spikes_bounds_and_the_recovery_are_marked_on_the_time_axis(tmp_path: Path) -> None:
    assert marks(page_of(tmp_path)) == [
        ("0:20", "the spike begins"), ("0:30", "the spike has ended"), ("1:05", "the promises hold again from here on"),
    ]  # fmt: skip


def test_broken_windows_are_a_lane_beside_failures(tmp_path: Path) -> None:
    names = [panel.name for panel in page_of(tmp_path).panels]
    assert names.index("promises") == names.index("errors") + 1
    panel = next(one for one in page_of(tmp_path / "again").panels if one.name == "promises")
    (lane,) = panel.plots
    assert (lane.label, lane.told, len(lane.spans)) == ("P95 < 450 ms and errors < 4 %", "9 windows, 45 s", 9)
    assert (lane.spans[0].start, lane.spans[0].width) == (20.0, 5.0)


def test_windows_with_too_few_requests_have_a_lane_of_their_own(tmp_path: Path) -> None:
    panel = next(one for one in page_of(tmp_path, rps=14).panels if one.name == "promises")
    assert [lane.label.partition(": ")[2] for lane in panel.plots] == ["too few requests to say", ""]
    assert rows(page_of(tmp_path / "again", rps=14))[0]["Held again"] == "not seen"


def test_a_platform_that_never_left_its_promises_is_told_so(tmp_path: Path) -> None:
    page = page_of(tmp_path, latency_ms=lambda _t: (5.0,))
    assert [rows(page)[0][title] for title in ("Held again", "From its end", "First broken")] == [
        "never left", "0 s", "—",
    ]  # fmt: skip
    assert next(one for one in page.panels if one.name == "promises").note.startswith("None: the promises held")
    assert [what for _, what in marks(page)] == ["the spike begins", "the spike has ended"]


def test_one_that_did_not_come_back_is_told_so(tmp_path: Path) -> None:
    page = page_of(tmp_path, latency_ms=lambda t: (900.0,) if t >= 23 else (5.0,))
    assert rows(page)[0]["From its end"] == "not within 1 min"
    assert marks(page)[-1] == ("1:30", "the watch ends with the promises still broken")


def test_load_after_the_hold_is_not_called_warm_up(tmp_path: Path) -> None:
    assert dict(page_of(tmp_path).facts)["Hold"] == "20 s judged. Load goes on for 1 min 10 s after it."


def test_a_run_that_was_not_asked_for_recovery_tells_nothing_of_it(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run", Synthetic()).page()
    assert page.recovery is None
    assert "promises" not in [panel.name for panel in page.panels]


@pytest.mark.parametrize("stopped_at_s", [10, 25])
def test_a_load_that_ended_before_it_came_back_is_told_as_far_as_it_went(tmp_path: Path, stopped_at_s: int) -> None:
    page = page_of(tmp_path, stopped_at_s=stopped_at_s)
    assert page.recovery is not None
    assert bool(page.recovery.rows) is (stopped_at_s == 25)


def test_both_forms_of_the_report_have_the_table(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "run", spiked()).render().parent
    for name in ("report.html", "report.md"):
        assert "How it came back from the spike" in (folder / name).read_text(encoding="utf-8")
