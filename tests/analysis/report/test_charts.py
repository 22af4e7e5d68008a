from pathlib import Path

import numpy as np

from analysis.evidence_files import Asked, write_answer
from analysis.report.page import Page
from analysis.report.plots import Panel
from slo.evidence import NotSeen
from slo.objective import Steady
from tests.analysis.records import GO_LIVE, T0, Synthetic
from tests.analysis.report.runs import PASSED, read_back, run_of
from tests.fakes import samples


def panel(page: Page, name: str) -> Panel:
    return next(one for one in page.panels if one.name == name)


def test_every_series_has_a_value_for_every_point_of_the_axis(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run", Synthetic(failed={9: {"reset": 3}}), platform=True).page()
    lengths = {len(trace.values) for one in page.panels for plot in one.plots for trace in plot.traces}
    assert lengths == {35}


def test_the_answered_rate_ends_with_the_load(tmp_path: Path) -> None:
    offered, answered = panel(run_of(tmp_path / "run").page(), "rate").plots[0].traces
    assert np.isnan(answered.values[25:]).all()
    assert answered.told == offered.told == "hold: 100"


def test_a_thinned_rate_is_not_diluted_by_the_time_after_the_load(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Synthetic(warm_s=0, hold_s=1501, watch_s=9, rps=2))
    answered = panel(run.page(), "rate").plots[0].traces[1].values
    assert np.nanmin(answered) == np.nanmax(answered) == 2


def test_latency_shows_the_limits_the_plan_sets(tmp_path: Path) -> None:
    limits = panel(run_of(tmp_path / "run").page(), "latency").plots[0].limits
    assert [limit.label for limit in limits] == ["P99 limit 900 ms", "P95 limit 450 ms"]


def test_words_of_close_limits_do_not_overlap(tmp_path: Path) -> None:
    limits = panel(run_of(tmp_path / "run").page(), "latency").plots[0].limits
    assert limits[1].label_y - limits[0].label_y >= 13


def test_failures_are_stacked_with_the_most_frequent_kind_first(tmp_path: Path) -> None:
    failed = {t: {"reset": 1, "status 503": 5} for t in range(8, 12)}
    traces = panel(run_of(tmp_path / "run", Synthetic(failed=failed)).page(), "errors").plots[0].traces
    assert [(trace.name, trace.told) for trace in traces] == [("status 503", "20 in all"), ("reset", "4 in all")]


def test_rare_kinds_are_shown_together_and_none_is_lost(tmp_path: Path) -> None:
    failed = {9: {f"status {code}": 1 + (code == 500) for code in range(500, 508)}}
    traces = panel(run_of(tmp_path / "run", Synthetic(failed=failed)).page(), "errors").plots[0].traces
    assert len(traces) == 6
    assert (traces[-1].name, traces[-1].told) == ("other kinds", "3 in all")


def test_unsent_requests_are_told_from_the_platforms_failures(tmp_path: Path) -> None:
    trace = panel(run_of(tmp_path / "run", Synthetic(unsent={9: 4})).page(), "errors").plots[0].traces[-1]
    assert (trace.name, trace.colour) == ("unsent (golive's own)", "ink")


def test_a_run_without_failures_says_so_instead_of_drawing(tmp_path: Path) -> None:
    errors = panel(run_of(tmp_path / "run").page(), "errors")
    assert (errors.plots, errors.note) == ((), "No request failed, and none went unsent.")


def test_autoscalers_that_moved_are_drawn_and_steady_ones_named(tmp_path: Path) -> None:
    replicas = panel(run_of(tmp_path / "run", platform=True).page(), "replicas")
    assert [plot.label for plot in replicas.plots] == ["api-gateway", "core"]
    assert replicas.note == "Steady the whole time: rooms (5)."


def test_replicas_say_where_they_began_ended_and_peaked(tmp_path: Path) -> None:
    ready, desired = panel(run_of(tmp_path / "run", platform=True).page(), "replicas").plots[1].traces
    assert (ready.told, desired.told) == ("8 → 12, at most 12", "8 → 13, at most 13")


def test_alerts_become_stretches(tmp_path: Path) -> None:
    alert = panel(run_of(tmp_path / "run", platform=True).page(), "alerts").plots[0]
    assert (alert.label, alert.told) == ("HighLatency", "1 time, 7 s in all")
    assert [(span.start, span.width) for span in alert.spans] == [(42.857, 20.0)]


def test_what_was_not_seen_is_said_with_its_reason(tmp_path: Path) -> None:
    page = run_of(tmp_path / "run").page()
    told = {name: panel(page, name).note for name in ("replicas", "backlog", "alerts")}
    assert all(note.startswith("Not seen: ") and "was not pulled" in note for note in told.values())


def test_each_chart_is_told_in_words_too(tmp_path: Path) -> None:
    summary = panel(run_of(tmp_path / "run").page(), "latency").summary
    assert "P99 hold: 7 ms" in summary


def test_a_soak_draws_each_resource_of_each_process_and_names_what_nobody_saw(tmp_path: Path) -> None:
    asked = (*GO_LIVE, Steady(name="memory"), Steady(name="handles", of="file_handles"))
    run = Synthetic(objectives=asked)
    run.write(tmp_path)
    at_unix_s = T0 + np.arange(30.0)
    pulled = Asked(query="q", server="m", start_unix_s=T0, end_unix_s=T0 + 30, step_s=1.0, fetched_unix_s=T0 + 30)
    growing = tuple(
        samples({"pod": f"core-{number}"}, at_unix_s, 5e8 + number * 1e6 * np.arange(30)) for number in range(6)
    )
    write_answer(tmp_path / "evidence", "memory", pulled, growing)
    write_answer(tmp_path / "evidence", "file_handles", pulled, NotSeen("Prometheus was down"))
    found = panel(read_back(tmp_path, PASSED).page(), "resources")
    assert [plot.label for plot in found.plots] == [f"memory, MB — core-{number}" for number in (5, 4, 3, 2)]
    assert found.plots[0].traces[0].told == "525 → 620 over the hold"
    assert "file handles: Prometheus was down" in found.note
    assert not [one for one in run_of(tmp_path / "other").page().panels if one.name == "resources"]
