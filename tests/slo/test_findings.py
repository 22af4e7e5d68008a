"""Each finding has its cause, and goes when the cause goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from slo.findings import find
from slo.spread_findings import unevenness
from slo.validity import FindingKind, Given, Severity, Thresholds, WorkerFacts
from tests.slo.builders import START, client, evidence, measurement, server


def kinds(facts: dict[str, Any] | None = None, **seen: Any) -> list[FindingKind]:
    found = find(measurement(**(facts or {})), evidence(**seen), Thresholds())
    return [finding.kind for finding in found if finding.severity is Severity.VOIDS]


def worker(**changes: Any) -> dict[str, Any]:
    return {"workers": (replace(WorkerFacts(worker=0), **changes),)}


def test_a_good_measurement_has_no_findings() -> None:
    assert kinds() == []


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"lag_p99_us": 30_000}, FindingKind.SCHEDULE_LAG),
        (worker(lost_at_unix_s=START + 5.0, lost_because="silent"), FindingKind.WORKER_LOST),
        (worker(clock_offset_s=-0.4), FindingKind.CLOCK_SKEW),
        (worker(throttled_ratio=0.2), FindingKind.WORKER_STARVED),
        (worker(control_timer_p99_us=40_000), FindingKind.CONTENTION),
        ({"mean_in_flight": 20.0}, FindingKind.LITTLES_LAW),
        ({"master_lost": True}, FindingKind.MASTER_LOST),
        ({"rate_changed_at_unix_s": (START + 3.0,)}, FindingKind.RATE_CHANGED),
        ({"clock_steps": ((START + 3.0, 2.0),)}, FindingKind.CLOCK_SKEW),
        ({"record_gaps": ("seconds.jsonl ends in half a line",)}, FindingKind.RECORD_GAP),
        ({"metrics_gap_s": 12.0}, FindingKind.METRICS_GAP),
        ({"cut_short": "stop requested by the test"}, FindingKind.CUT_SHORT),
    ],
    ids=lambda value: value.value if isinstance(value, FindingKind) else "",
)
def test_each_fact_beyond_its_threshold_is_found(facts: dict[str, Any], kind: FindingKind) -> None:
    assert kinds(facts) == [kind]


def test_a_hole_in_what_one_exporter_tells_bears_on_what_rests_on_it_alone() -> None:
    (found,) = find(measurement(series_gaps_s={"backlog": 30.0, "scaling": 10.0}), evidence(), Thresholds())
    assert (found.kind, found.bears_on) == (FindingKind.METRICS_GAP, ("backlog",))
    assert "holds nothing about backlog for 30 s" in found.what


def test_a_lag_counts_at_the_strictest_percentile_that_is_promised() -> None:
    facts = measurement(lag_p99_us=500, lag_strictest_us=30_000, strictest_ratio=0.999)
    (found,) = find(facts, evidence(), Thresholds())
    assert found.kind is FindingKind.SCHEDULE_LAG
    assert "schedule lag P99.9 30.0 ms" in found.what


def test_load_that_was_written_only_after_the_hold_was_not_the_platforms_to_bear() -> None:
    assert kinds({"written_after": 60.0}) == []  # of 6,000: as much as may be
    assert kinds({"written_after": 61.0}) == [FindingKind.LOAD_SHORTFALL]
    assert kinds({"written_after": -500.0}) == []  # it had more to do than was due


def test_a_closed_model_is_told() -> None:
    found = find(measurement(closed_model=True), evidence(), Thresholds())
    assert [(finding.kind, finding.severity) for finding in found] == [(FindingKind.CLOSED_MODEL, Severity.WARNS)]


def told_of_users(**facts: Any) -> list[tuple[FindingKind, Severity, str]]:
    found = find(measurement(closed_model=True, **facts), evidence(client=client(load_sent=6000)), Thresholds())
    return [(one.kind, one.severity, one.what) for one in found if one.kind is not FindingKind.CLOSED_MODEL]


def test_tasks_that_raised_void_a_run_unless_they_are_as_few_as_failures_may_be() -> None:
    ((kind, severity, what),) = told_of_users(raised={"KeyError at line 9 of own.py: 'id'": 6, "ValueError": 1})
    assert (kind, severity) == (FindingKind.USERS_RAISED, Severity.VOIDS)
    assert "7 times beside 6,000 requests: 6 KeyError at line 9 of own.py: 'id'; 1 ValueError" in what
    ((_, severity, _),) = told_of_users(raised={"KeyError": 6})
    assert severity is Severity.WARNS


def test_a_check_of_the_locustfiles_own_that_failed_is_told() -> None:
    ((kind, severity, what),) = told_of_users(own_exit_code=2)
    assert (kind, severity) == (FindingKind.OWN_EXIT_CODE, Severity.WARNS)
    assert "exit code 2" in what


def test_names_that_were_too_many_are_told() -> None:
    ((kind, severity, what),) = told_of_users(names_folded=4500)
    assert (kind, severity) == (FindingKind.NAMES_FOLDED, Severity.WARNS)
    assert "4,500" in what


def test_unsent_arrivals_are_found() -> None:
    assert FindingKind.UNSENT in kinds(client=client(unsent=1))


@pytest.mark.parametrize(("due", "found"), [(6_000, []), (6_006, []), (6_007, [FindingKind.RATE_CHANGED])])
def test_more_due_than_the_plan_has_is_another_rate(due: int, found: list[FindingKind]) -> None:
    assert kinds(client=client(due_by_workers=due)) == found


def test_answers_out_of_a_cache_are_found_from_a_percent_on() -> None:
    assert kinds(client=client(cached=60)) == []
    assert kinds(client=client(cached=61)) == [FindingKind.CACHED_ANSWERS]


def test_requests_that_went_out_twice_are_told_when_more_than_may_fail() -> None:
    assert kinds(client=client(repeated=6)) == []
    (found,) = find(measurement(), evidence(client=client(repeated=7)), Thresholds())
    assert (found.kind, found.severity) == (FindingKind.REPEATED, Severity.WARNS)
    assert found.what.startswith("7 of 6,000 requests went out a second time (0.12 %)")


def given(*requests: float, there: float = 1.0) -> tuple[Given, ...]:
    """What each part was given; the last one was there for a share of the hold."""
    parts = [Given(name=f"10.0.0.{place}", requests=count) for place, count in enumerate(requests)]
    return (*parts[:-1], replace(parts[-1], there_ratio=there))


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"addresses": given(500, 500)}, []),
        ({"addresses": given(750, 250)}, []),
        ({"addresses": given(751, 249)}, [FindingKind.ONE_ADDRESS]),
        ({"addresses": given(99, 0)}, []),
        ({"addresses": given(1000)}, []),
        ({"replicas": given(1000, 0, 0)}, [FindingKind.ONE_REPLICA]),
        ({"replicas": given(600, 400, 0)}, []),
        ({"replicas": given(950, 50)}, [FindingKind.ONE_REPLICA]),
        ({"replicas": given(950, 50, there=0.05)}, []),
    ],
)
def test_load_that_goes_to_one_of_several_is_found(facts: dict[str, Any], found: list[FindingKind]) -> None:
    assert kinds(facts) == found


def test_connections_dealt_to_replicas_by_chance_are_not_held_to_be_pinned() -> None:
    random = np.random.default_rng(1)
    dealt = [np.bincount(random.integers(0, 6, 16), minlength=6) for _ in range(10_000)]
    uneven = [unevenness(given(*(100.0 * connections for connections in one))) for one in dealt]
    assert np.mean(uneven) == pytest.approx(0.27, abs=0.01)
    assert np.quantile(uneven, 0.99) == pytest.approx(0.50, abs=0.01)
    assert np.quantile(uneven, 0.99) < Thresholds().uneven_replicas_ratio


@hypothesis.given(st.lists(st.floats(0, 1e6), min_size=2, max_size=20))
def test_unevenness_lies_between_an_even_spread_and_all_to_one(requests: list[float]) -> None:
    assert 0.0 <= unevenness(given(*requests)) <= 1.0
    assert unevenness(given(*([1000.0] * len(requests)))) == pytest.approx(0.0)
    assert unevenness(given(1000.0, *([0.0] * (len(requests) - 1)))) == pytest.approx(1.0)


def test_due_requests_in_nobodys_counts_are_a_shortfall() -> None:
    half = np.full(60, 100)
    half[30:] = 50
    answered = client(sent=half, ok=half)
    assert FindingKind.LOAD_SHORTFALL in kinds(client=answered)


@pytest.mark.parametrize(("missing", "found"), [(6, False), (7, True)])
def test_one_request_in_a_thousand_may_be_in_nobodys_counts(missing: int, found: bool) -> None:
    fewer = np.full(60, 100)  # 6,000 are due
    fewer[30] -= missing
    assert (FindingKind.LOAD_SHORTFALL in kinds(client=client(sent=fewer, ok=fewer))) is found


@pytest.mark.parametrize(
    ("failure", "kind"), [("local ports", FindingKind.LOCAL_PORTS), ("file handles", FindingKind.FILE_HANDLES)]
)
def test_a_generator_out_of_ports_or_handles_is_found(failure: str, kind: FindingKind) -> None:
    assert kind in kinds(client=client(failed_by_kind={failure: 1}))


@pytest.mark.parametrize(
    ("counted", "agrees"), [(9_900, True), (10_000, True), (10_100, True), (10_101, False), (9_799, False)]
)
def test_over_the_load_the_server_lies_between_answered_and_sent_within_a_percent(counted: int, agrees: bool) -> None:
    whole = replace(server(), load_requests=float(counted))
    sent = client(load_sent=10_000, load_answered=9_900)
    assert kinds(server=whole, client=sent) == ([] if agrees else [FindingKind.COUNT_MISMATCH])


def test_what_a_lost_worker_sent_last_is_no_disagreement() -> None:
    whole, sent = replace(server(), load_requests=10_400.0), client(load_sent=10_000, load_answered=9_900)
    assert kinds({"uncounted_at_most": 300}, server=whole, client=sent) == []
    assert kinds({"uncounted_at_most": 299}, server=whole, client=sent) == [FindingKind.COUNT_MISMATCH]


def test_what_was_sent_a_second_time_the_platform_may_have_counted_twice() -> None:
    whole, sent = replace(server(), load_requests=10_400.0), client(load_sent=10_000, load_answered=9_900)
    assert kinds(server=whole, client=replace(sent, load_repeated=300)) == []
    assert kinds(server=whole, client=replace(sent, load_repeated=299)) == [FindingKind.COUNT_MISMATCH]


def test_over_the_hold_alone_counts_are_not_compared() -> None:
    assert kinds(server=server(requests=5_000)) == []


def test_every_finding_says_what_to_do() -> None:
    facts = {**worker(lost_at_unix_s=1.0, clock_offset_s=3.0), "lag_p99_us": 10**6, "cut_short": "x"}
    for finding in find(measurement(**facts), evidence(), Thresholds()):
        assert finding.what.endswith(".")
        assert finding.remedy
