"""Every acknowledged delta is counted exactly once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtest.ledger import Ledger, Outbox


def test_a_repeated_delta_is_not_accepted_again() -> None:
    ledger = Ledger()
    ledger.accept(0, 1)
    assert not ledger.is_next(0, 1)
    assert ledger.is_next(0, 2)


def test_a_delta_that_overtook_its_predecessor_waits() -> None:
    assert not Ledger().is_next(0, 2)


def test_workers_are_counted_apart() -> None:
    ledger = Ledger()
    ledger.accept(0, 1)
    assert ledger.is_next(1, 1)


def test_what_is_not_acknowledged_is_sent_again() -> None:
    outbox = Outbox()
    outbox.put(body="a", vitals={})
    outbox.put(body="b", vitals={})
    outbox.acknowledge(1)
    assert [delta.body for delta in outbox.pending] == ["b"]


def test_what_was_sent_goes_again_only_when_nothing_was_acknowledged_for_long() -> None:
    outbox = Outbox()

    def sent(now_s: float) -> list[int]:
        return [delta.seq for delta in outbox.to_send(now_s=now_s, again_after_s=2.0)]

    for _ in range(3):
        outbox.put(body="x", vitals={})
    assert sent(0.0) == [1, 2, 3]
    assert sent(1.0) == []
    outbox.acknowledge(1)
    assert sent(2.5) == []  # it gets on
    assert sent(4.4) == []
    assert sent(4.5) == [2, 3]
    outbox.acknowledge(3)
    assert sent(9.0) == []


@given(st.lists(st.sampled_from(["drain", "deliver", "lose", "lose the ack"]), max_size=60))
def test_over_any_bad_wire_each_delta_counts_once_and_in_order(weather: list[str]) -> None:
    outbox, ledger, counted, now_s = Outbox(), Ledger(), [], 0.0

    def deliver(event: str) -> None:
        if event == "lose":
            outbox.to_send(now_s=now_s, again_after_s=2.0)
            return
        for delta in outbox.to_send(now_s=now_s, again_after_s=2.0):
            if ledger.is_next(0, delta.seq):
                counted.append(delta.seq)
                ledger.accept(0, delta.seq)
        if event == "deliver":
            outbox.acknowledge(ledger.last_seq(0))

    drained = 0
    for event in weather:
        now_s += 1.0
        if event == "drain":
            drained = outbox.put(body="x", vitals={}).seq
        else:
            deliver(event)
    for _ in range(4):
        now_s += 1.0
        deliver("deliver")
    assert counted == list(range(1, drained + 1))
    assert outbox.is_empty
