"""Objectives by which every run would pass, or none: refused where they are read, with the value."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.errors import PlanError
from scenarios.files import OBJECTIVES, load_plan, read_objectives
from scenarios.target import Target, TargetClass


def written(folder: Path, line: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(f"- {{name: mine, {line}}}\n")
    return str(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kind: error_ratio, below_ratio: 4", r"mine: below_ratio 4 is not between 0 and 1; a percentage\? .* 0.04"),
        ("kind: error_ratio, below_ratio: 0", "below_ratio 0 is not"),
        ("kind: error_ratio, below_ratio: 1", "below_ratio 1 is not"),
        ("kind: availability, at_least_ratio: 99.9", r"at_least_ratio 99.9 is not .* 0.999"),
        ("kind: availability, at_least_ratio: -1", "at_least_ratio -1 is not"),
        ("kind: latency, quantile_ratio: 95, below_ms: 450", r"quantile_ratio 95 is not .* 0.95"),
        ("kind: latency, quantile_ratio: 1, below_ms: 450", "quantile_ratio 1 is not"),
        ("kind: latency, quantile_ratio: 0.9, below_ms: 0", "below_ms 0 is not above 0"),
        ("kind: throughput, at_least_rps: 0", "at_least_rps 0 is not above 0"),
        ("kind: throughput, window_s: 0", "window_s 0 is not above 0"),
        ("kind: backlog, worked_off_within_s: -1", "worked_off_within_s -1 is not"),
        ("kind: scaling, settled_for_s: 0", "settled_for_s 0 is not"),
        ("kind: steady, below_ratio_per_hour: -1", "below_ratio_per_hour -1 is not"),
        ("kind: steady, no_limit_within_h: 0", "no_limit_within_h 0 is not"),
        ("kind: steady, at_least_s: -9", "at_least_s -9 is not"),
        ("kind: limit, at_least_rps: -5", "at_least_rps -5 is not"),
        ("kind: limit, at_least_rps: 5, resolution_ratio: 5", r"resolution_ratio 5 is not .* 0.05"),
    ],
)
def test_a_value_that_every_run_or_none_would_meet_is_refused(line: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=said):
        read_objectives(written(tmp_path, line))


def test_an_objective_without_a_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("- {kind: error_ratio, name: ' ', below_ratio: 0.1}\n")
    with pytest.raises(PlanError, match="an objective of kind error_ratio has no name"):
        read_objectives(str(path))


@pytest.mark.parametrize("path", sorted(OBJECTIVES.glob("*.yaml")), ids=lambda path: path.stem)
def test_all_that_golive_ships_may_be_asked(path: Path) -> None:
    assert read_objectives(str(path))


def test_that_not_one_request_meets_an_absent_platform_may_be_asked(tmp_path: Path) -> None:
    assert read_objectives(written(tmp_path, "kind: availability, at_least_ratio: 1"))


@pytest.mark.parametrize("name", ["x" * 81, '"a\\nb"', '"a\\x1b[31m"'])
def test_a_name_is_one_line_that_tables_can_hold(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"- {{kind: scaling, name: {name}}}\n")
    with pytest.raises(PlanError, match="is no name: one line of at most 80 characters"):
        read_objectives(str(path))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "kind: error_ratio, below_ratio: 0.1, requests: [create, paymnt]",
            "mine: workload 'ota-heavy' has no request or flow 'paymnt'; did you mean 'payment'",
        ),
        ("kind: journeys, at_least_ratio: 0.9", "mine: workload 'ota-heavy' has no flow, so no journey can be seen"),
        ("kind: limit, at_least_rps: 100", "mine: no limit is looked for, since the plan has no `search`"),
        ("kind: latency, quantile_ratio: 0.9, below_ms: 10001", "mine: 10001 ms are never missed: .* after 10 s"),
    ],
)
def test_what_a_plan_can_never_show_is_refused(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(
        f"workload: ota-heavy\nobjectives: {written(tmp_path, line)}\nrate_to_prove_rps: 100\n"
        "phases: [{name: hold, duration: 1m, from_share: 1, to_share: 1}]\n"
    )
    here = Target(name="here", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL)
    with pytest.raises(PlanError, match=said):
        load_plan(str(tmp_path / "plan.yaml"), target=here)
