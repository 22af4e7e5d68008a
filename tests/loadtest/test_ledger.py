"""Every acknowledged delta is counted exactly once."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from loadtest.ledger import Delta, Ledger, Outbox


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
    assert sent(7.0) == []  # in vain: the next time takes twice as long
    assert sent(8.5) == [2, 3]
    outbox.acknowledge(3)
    assert sent(99.0) == []


@dataclass
class BothEnds:
    """A worker's outbox and a master's ledger with weather in between; a second passes with each event."""

    outbox: Outbox = field(default_factory=Outbox)
    ledger: Ledger = field(default_factory=Ledger)
    counted: list[int] = field(default_factory=list)
    drained: int = 0
    now_s: float = 0.0

    def happen(self, event: str) -> None:
        self.now_s += 1.0
        if event == "drain":
            self.drained = self.outbox.put(body="x", vitals={}).seq
            return
        sent = self.outbox.to_send(now_s=self.now_s, again_after_s=2.0)
        if event != "lose":
            self._arrive(sent)
        if event == "deliver":
            self.outbox.acknowledge(self.ledger.last_seq(0))

    def _arrive(self, sent: tuple[Delta, ...]) -> None:
        for delta in sent:
            if self.ledger.is_next(0, delta.seq):
                self.counted.append(delta.seq)
                self.ledger.accept(0, delta.seq)


@given(st.lists(st.sampled_from(["drain", "deliver", "lose", "lose the ack"]), max_size=60))
def test_over_any_bad_wire_each_delta_counts_once_and_in_order(weather: list[str]) -> None:
    ends = BothEnds()
    for event in [*weather, *["deliver"] * 20]:
        ends.happen(event)
    assert ends.counted == list(range(1, ends.drained + 1))
    assert ends.outbox.is_empty
