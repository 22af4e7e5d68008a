"""CPU is told apart by when it was used."""

from __future__ import annotations

import pytest

from tests.bench_peers.account import Account


def an_account() -> Account:
    """Half a second of CPU to start, a quarter a second while loading, as much again to go away."""
    return Account(first_request_s=10.0, samples=[(9.0, 0.5), (10.0, 0.5), (12.0, 1.0), (14.0, 1.5), (14.5, 2.0)])


def test_starting_and_going_away_are_not_loading() -> None:
    assert an_account().used_while_loading(4.0) == pytest.approx(1.0)


def test_between_two_samples_is_a_straight_line() -> None:
    assert an_account().used_at(13.0) == pytest.approx(1.25)


def test_before_the_first_and_after_the_last_sample() -> None:
    assert an_account().used_at(1.0) == 0.0
    assert an_account().used_at(99.0) == 2.0


def test_a_process_that_is_gone_counts_as_it_was_seen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    used_s = iter([0.7, 0.0])
    monkeypatch.setattr("tests.bench_peers.account.cpu_of", lambda _pid: next(used_s))
    account = Account(pids=[1])
    account.look()
    account.look()
    assert [cpu_s for _, cpu_s in account.samples] == [0.7, 0.7]
