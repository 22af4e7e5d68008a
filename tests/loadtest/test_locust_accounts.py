"""Locust's own tables on golive's master: what they would keep for ever is dropped when nobody looks at it any more."""

from __future__ import annotations

from locust.stats import RequestStats

from loadtest.locust_accounts import SECONDS_KEPT, forget_old_seconds

T0 = 1_790_000_000


def after(seconds: int, *, forgetful: bool) -> RequestStats:
    """The tables of a run with 3 requests, one of them failed, in each second."""
    stats = RequestStats()
    stats.total.start_time = T0
    for second in range(T0, T0 + seconds):
        for entry in (stats.entries["rooms", "GET"], stats.total):
            entry.num_requests += 3
            entry.num_failures += 1
            entry.num_reqs_per_sec[second] += 3
            entry.num_fail_per_sec[second] += 1
            entry.last_request_timestamp = second
        if forgetful:
            forget_old_seconds(stats)
    return stats


def test_eight_hours_keep_no_more_seconds_than_two_minutes() -> None:
    stats = after(8 * 3600, forgetful=True)
    for entry in (stats.total, stats.entries["rooms", "GET"]):
        assert len(entry.num_reqs_per_sec) <= 2 * SECONDS_KEPT
        assert len(entry.num_fail_per_sec) <= 2 * SECONDS_KEPT


def test_what_locust_shows_of_now_and_of_all_stays_the_same() -> None:
    forgetful, keeper = after(600, forgetful=True), after(600, forgetful=False)
    assert len(keeper.total.num_reqs_per_sec) == 600
    assert forgetful.total.current_rps == keeper.total.current_rps == 3.0
    assert forgetful.total.current_fail_per_sec == keeper.total.current_fail_per_sec == 1.0
    assert forgetful.total.total_rps == keeper.total.total_rps


def test_tables_without_a_request_have_nothing_to_forget() -> None:
    stats = RequestStats()
    forget_old_seconds(stats)
    assert stats.total.num_requests == 0
