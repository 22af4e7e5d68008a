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


@given(st.lists(st.sampled_from(["drain", "deliver", "lose", "lose the ack"]), max_size=60))
def test_over_any_bad_wire_each_delta_counts_once_and_in_order(weather: list[str]) -> None:
    outbox, ledger, counted = Outbox(), Ledger(), []

    def deliver(ack: bool = True) -> None:
        for delta in outbox.pending:
            if ledger.is_next(0, delta.seq):
                counted.append(delta.seq)
                ledger.accept(0, delta.seq)
        if ack:
            outbox.acknowledge(ledger.last_seq(0))

    drained = 0
    for event in weather:
        if event == "drain":
            drained = outbox.put(body="x", vitals={}).seq
        elif event != "lose":
            deliver(ack=event == "deliver")
    deliver()
    assert counted == list(range(1, drained + 1))
    assert outbox.is_empty
