"""Which seconds are judged, and what the plan had due in them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.hold import Hold, constant_arrivals, due_per_second, hold_of
from analysis.results import read_record
from scenarios.plan import Sending
from scenarios.profile import Phase, Profile
from tests.analysis.records import T0, Synthetic


def hold_in(run: Synthetic, folder: Path) -> Hold:
    return hold_of(read_record(run.write(folder)))


def profile(*phases: tuple[float, float, float, bool]) -> Profile:
    return Profile(
        phases=tuple(
            Phase(name=f"p{n}", duration_s=duration_s, from_rps=a, to_rps=b, judged=judged)
            for n, (duration_s, a, b, judged) in enumerate(phases)
        )
    )


def test_the_hold_is_the_judged_phase(tmp_path: Path) -> None:
    hold = hold_in(Synthetic(warm_s=5, hold_s=20), tmp_path)
    assert hold.seconds == range(T0 + 5, T0 + 25)
    assert hold.complete


def test_the_hold_spans_from_the_first_judged_phase_to_the_last(tmp_path: Path) -> None:
    line = profile((3, 0, 10, False), (4, 10, 10, True), (2, 10, 20, False), (4, 20, 20, True), (3, 20, 0, False))
    run = Synthetic(warm_s=3, hold_s=13, plan_changes={"profile": line})
    assert hold_in(run, tmp_path).seconds == range(T0 + 3, T0 + 13)


def test_a_second_that_a_judged_phase_has_only_part_of_is_given_away(tmp_path: Path) -> None:
    run = Synthetic(warm_s=3, hold_s=7, plan_changes={"profile": profile((2.5, 0, 9, False), (5, 9, 9, True))})
    assert hold_in(run, tmp_path).seconds == range(T0 + 3, T0 + 7)


def test_a_load_stopped_in_the_hold_cuts_it(tmp_path: Path) -> None:
    hold = hold_in(Synthetic(warm_s=5, hold_s=20, stopped_at_s=12), tmp_path)
    assert hold.seconds == range(T0 + 5, T0 + 12)
    assert not hold.complete


def test_a_load_stopped_before_the_hold_leaves_none(tmp_path: Path) -> None:
    hold = hold_in(Synthetic(warm_s=5, hold_s=20, stopped_at_s=3), tmp_path)
    assert (len(hold.seconds), hold.complete) == (0, False)


def test_a_killed_runs_hold_ends_with_what_was_reported(tmp_path: Path) -> None:
    run = Synthetic(warm_s=5, hold_s=20, stopped_at_s=15, killed=True)
    assert hold_in(run, tmp_path).seconds == range(T0 + 5, T0 + 15)


def test_a_plan_that_judges_nothing_has_an_empty_hold(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=5, plan_changes={"profile": profile((5, 9, 9, False))})
    assert not hold_in(run, tmp_path).complete


def test_due_is_what_the_run_wrote_down(tmp_path: Path) -> None:
    record = read_record(Synthetic(warm_s=0, hold_s=3, rps=10).write(tmp_path))
    (tmp_path / "due.json").write_text(json.dumps({"seconds": [[7, 1], [9, 4]]}))
    due, odd = due_per_second(record)
    assert (due.tolist(), odd) == ([8, 13, 0], "")


@pytest.mark.parametrize("content", ["", "[]", '{"seconds": 3}', '{"seconds": [["a"]]}'])
def test_a_damaged_due_file_is_a_gap_and_the_rate_line_stands_in(tmp_path: Path, content: str) -> None:
    record = read_record(Synthetic(warm_s=0, hold_s=3, rps=10).write(tmp_path))
    (tmp_path / "due.json").write_text(content)
    due, odd = due_per_second(record)
    assert due.tolist() == [10, 10, 10]
    assert odd == "due.json cannot be read: what was due is taken from the rate line"


def test_poisson_arrivals_cannot_be_told_without_the_due_file(tmp_path: Path) -> None:
    run = Synthetic(warm_s=0, hold_s=3, plan_changes={"sending": Sending(arrivals="poisson")})
    record = read_record(run.write(tmp_path))
    (tmp_path / "due.json").unlink()
    assert due_per_second(record)[1] == "due.json is missing: what was due is taken from the rate line"


def test_constant_arrivals_need_no_due_file(tmp_path: Path) -> None:
    record = read_record(Synthetic(warm_s=0, hold_s=3, rps=10).write(tmp_path))
    (tmp_path / "due.json").unlink()
    due, odd = due_per_second(record)
    assert (due.tolist(), odd) == ([10, 10, 10], "")


@given(st.lists(st.tuples(st.floats(0.5, 9), st.floats(0, 500), st.floats(0, 500)), min_size=1, max_size=4))
def test_constant_arrivals_add_up_to_the_area_under_the_line(phases: list[tuple[float, float, float]]) -> None:
    line = profile(*((*phase, True) for phase in phases))
    due = constant_arrivals(line, math.ceil(line.duration_s))
    assert abs(int(due.sum()) - line.arrivals_by(line.duration_s)) <= 0.5 + 1e-6
    for second, count in enumerate(due.tolist()):
        assert abs(count - (line.arrivals_by(second + 1.0) - line.arrivals_by(float(second)))) <= 1 + 1e-6
