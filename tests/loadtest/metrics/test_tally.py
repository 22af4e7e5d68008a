"""What the metrics page counts: everything once, never backwards, in a bounded number of series."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loadtest.metrics.tally import CHECKS, MOST_KINDS, MOST_REQUESTS, OTHERS
from slo.validity import FindingKind
from tests.loadtest.builders import SECOND, counts, latency
from tests.loadtest.metrics.builders import a_tally, accept

ENTRIES = st.lists(
    st.builds(
        counts,
        second=st.integers(SECOND, SECOND + 5),
        ok=st.integers(0, 1000),
        failed=st.dictionaries(st.sampled_from(["reset", "check", "status 418"]), st.integers(1, 50)),
        unsent=st.integers(0, 9),
        name=st.sampled_from(["home", "search", "book"]),
    ),
    max_size=20,
)


@given(st.lists(ENTRIES, max_size=5))
def test_totals_are_the_sum_of_all_deltas_and_never_fall(bodies: list[list[dict[str, Any]]]) -> None:
    tally, expected = a_tally(), Counter[str]()
    for entries in bodies:
        before = tally.totals["home"].copy()
        accept(tally, {"counts": entries})
        assert all(tally.totals["home"][what] >= before[what] for what in before)
        for entry in entries:
            expected.update(sent=entry["sent"], ok=entry["ok"], unsent=entry["unsent"])
            expected["failed"] += sum(entry["failed"].values())
    for what in ("sent", "ok", "unsent", "failed"):
        assert sum(totals[what] for totals in tally.totals.values()) == expected[what]
    assert tally.failures.total() == expected["failed"]


@given(st.lists(st.integers(1, 60_000_000), min_size=1, max_size=200))
def test_a_time_is_in_the_bucket_that_takes_the_whole_of_its_slot(times_us: list[int]) -> None:
    tally = a_tally()
    accept(tally, {"latency": [latency(SECOND, times_us)]})
    times = tally.durations["home", "intended"]
    assert sum(times.counts) == len(times_us)
    so_far = 0
    for bound_us, count in zip(times.bounds_us, times.counts, strict=False):
        so_far += count
        # A slot is 0.1 % wide: only times so near to the bound may be counted above it, and none below it.
        assert sum(time_us <= bound_us * 0.999 for time_us in times_us) <= so_far
        assert so_far <= sum(time_us <= bound_us for time_us in times_us)


def test_a_limit_of_the_plan_is_a_bound() -> None:
    tally = a_tally(limits_ms=[123.0])
    accept(tally, {"latency": [latency(SECOND, [122_000, 124_000])]})
    times = tally.durations["home", "intended"]
    within = sum(times.counts[: times.bounds_us.index(123_000) + 1])
    assert within == 1


def test_what_is_measured_differently_is_kept_apart() -> None:
    tally = a_tally()
    tags = ["home", "home!failed", "home!visible", "golive.service", "golive.lag"]
    accept(tally, {"latency": [latency(SECOND, [1000] * (n + 1), tag) for n, tag in enumerate(tags)]})
    kinds = [("home", "intended"), ("home", "failed"), ("home", "visible"), ("", "service")]
    assert [sum(tally.durations[key].counts) for key in kinds] == [1, 2, 3, 4]
    assert sum(tally.lag.counts) == 5


def test_a_thousand_names_are_a_bounded_number_of_series_and_nothing_is_left_out() -> None:
    tally = a_tally()
    names = [f"/item/{number}" for number in range(1000)]
    accept(tally, {"counts": [counts(ok=1, name=name) for name in names]})
    accept(tally, {"latency": [latency(SECOND, [1000], name) for name in names]})
    assert len(tally.totals) == MOST_REQUESTS + 1
    assert len(tally.durations) <= MOST_REQUESTS + 2
    assert tally.totals[OTHERS]["ok"] == 1000 - (MOST_REQUESTS - 1)
    assert sum(totals["ok"] for totals in tally.totals.values()) == 1000


def test_a_thousand_kinds_of_failures_are_a_bounded_number_of_series() -> None:
    tally = a_tally()
    accept(tally, {"counts": [counts(failed={f"status {code}": 1}) for code in range(1000)]})
    assert len(tally.failures) == MOST_KINDS + 1
    assert tally.failures.total() == 1000


def test_a_lost_worker_that_comes_back_runs_again_and_stays_found() -> None:
    tally = a_tally()
    tally.happened("worker_ready", {"worker": 0, "clock_offset_s": 0.25})
    tally.happened("worker_lost", {"worker": 0})
    assert tally.workers[0].state == "lost"
    tally.happened("worker_returned", {"worker": 0})
    assert (tally.workers[0].state, tally.workers[0].clock_offset_s) == ("running", 0.25)
    assert tally.found["worker-lost"] == 1


def test_workers_run_again_and_phases_end_with_each_leg_of_a_search() -> None:
    tally = a_tally()
    tally.happened("worker_ready", {"worker": 0, "clock_offset_s": 0.0})
    for _ in range(2):
        tally.happened("leg_started", {"t0_unix_s": 1.0})
        tally.happened("phase_started", {"phase": "level", "judged": True})
        assert (tally.workers[0].state, tally.phase) == ("running", ("level", True))
        tally.happened("leg_ended", {"leg": 1})
        tally.happened("worker_drained", {"worker": 0})
        assert (tally.workers[0].state, tally.phase) == ("drained", None)


def test_checks_are_called_as_the_findings_of_the_verdict() -> None:
    assert set(CHECKS) <= {kind.value for kind in FindingKind}
