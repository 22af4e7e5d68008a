"""One worker's side of a run: it keeps what is not acknowledged and obeys a living master only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loadtest.vitals import Vitals
from loadtest.worker import LEASE_S, WorkerSide
from tests.loadtest.builders import FakeClock


@dataclass
class FakeEngine:
    """The engine's contract without sockets."""

    clock: FakeClock
    problem: str = ""
    counted: str = '{"counts":[]}'
    started: dict[str, int] = field(default_factory=dict)
    phase: str = "new"
    lease_until_s: float = 0.0
    halted: str = ""

    def prepare(self) -> str:
        return self.problem

    def start(self, *, start_in_us: int, start_unix_us: int, lease_us: int) -> None:
        if self.started:
            raise ValueError("started already")
        self.started = {"start_in_us": start_in_us, "start_unix_us": start_unix_us}
        self.phase, self.lease_until_s = "running", self.clock.now_s + lease_us / 1e6

    def renew_lease(self, *, lease_us: int) -> None:
        self.lease_until_s = self.clock.now_s + lease_us / 1e6

    def halt(self, *, because: str) -> None:
        self.halted, self.phase = because, "done"

    def state(self) -> str:
        return self.phase

    def halted_because(self) -> str:
        return self.halted

    def drain(self, *, everything: bool = False) -> str:
        return self.counted if not everything else '{"counts":["last"]}'


@dataclass
class Told:
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, to: str, kind: str, content: Any) -> None:  # noqa: ARG002  (the wire's signature)
        self.messages.append((kind, dict(content)))

    def last(self, kind: str) -> dict[str, Any]:
        return next(content for told, content in reversed(self.messages) if told == kind)


def a_worker(problem: str = "", offset_s: float = 0.0) -> tuple[WorkerSide, FakeEngine, Told, FakeClock]:
    clock = FakeClock()
    clock.now_s += offset_s
    engine, told = FakeEngine(clock, problem), Told()
    side = WorkerSide(
        wire=told,
        clock=clock,
        build=lambda _plan, _shard, _shards: engine,
        off_hub=lambda call: call(),
        vitals=Vitals(None),
    )
    return side, engine, told, clock


def armed_and_started(offset_s: float = 0.0) -> tuple[WorkerSide, FakeEngine, Told, FakeClock]:
    side, engine, told, clock = a_worker(offset_s=offset_s)
    side.hear("golive_arm", {"engine_plan": "{}", "shard": 1, "shards": 2})
    t0_unix_s = clock.now_s - offset_s + 2.0
    side.hear("golive_go", {"t0_unix_s": t0_unix_s, "clock_offset_s": offset_s})
    return side, engine, told, clock


def test_a_skewed_clock_starts_at_the_masters_instant_and_books_in_its_seconds() -> None:
    _, engine, _, clock = armed_and_started(offset_s=30.0)
    assert engine.started == {"start_in_us": 2_000_000, "start_unix_us": int((clock.now_s - 28) * 1e6)}


def test_a_target_that_cannot_be_reached_is_told_to_the_master() -> None:
    side, _, told, _ = a_worker(problem="connection refused by 127.0.0.1:1")
    side.hear("golive_arm", {"engine_plan": "{}", "shard": 0, "shards": 1})
    assert told.last("golive_armed")["problem"] == "connection refused by 127.0.0.1:1"


def test_a_delta_that_stays_unacknowledged_is_sent_again_with_all_behind_it() -> None:
    side, _, told, clock = armed_and_started()
    for _ in range(4):
        side.report()
        clock.now_s += 1.0
    assert [content["seq"] for kind, content in told.messages if kind == "golive_delta"] == [1, 2, 3, 1, 2, 3, 4]


def test_a_master_that_is_slow_but_gets_on_is_sent_nothing_twice() -> None:
    side, _, told, clock = armed_and_started()
    for second in range(10):
        side.report()
        clock.now_s += 1.0
        if second >= 4:
            side.hear("golive_ack", {"seq": second - 3})  # four seconds late
        elif second >= 1:
            side.outbox.acknowledge(0)
    sent = [content["seq"] for kind, content in told.messages if kind == "golive_delta"]
    assert sent[-5:] == [6, 7, 8, 9, 10]


def test_an_acknowledgement_empties_the_outbox_and_renews_the_lease() -> None:
    side, engine, _, clock = armed_and_started()
    side.report()
    clock.now_s += 3.0
    side.hear("golive_ack", {"seq": 1})
    assert side.outbox.is_empty
    assert engine.lease_until_s == clock.now_s + LEASE_S


def test_nothing_but_an_acknowledgement_renews_the_lease() -> None:
    side, engine, _, clock = armed_and_started()
    leased_until_s = engine.lease_until_s
    clock.now_s += 1.0
    side.report()
    side.hear("golive_ping", {"sent_s": 0.0})
    assert engine.lease_until_s == leased_until_s


def test_the_last_delta_holds_everything_and_says_so() -> None:
    side, _, told, _ = armed_and_started()
    side.hear("golive_halt", {"because": "stop"})
    side.report()
    side.report()
    final = [content for kind, content in told.messages if kind == "golive_delta"]
    assert [(delta["seq"], delta["final"], delta["body"]) for delta in final[-1:]] == [(1, True, '{"counts":["last"]}')]


def test_a_second_go_does_not_start_the_load_again() -> None:
    side, engine, _, _ = armed_and_started()
    first = dict(engine.started)
    side.hear("golive_go", {"t0_unix_s": 5.0, "clock_offset_s": 0.0})
    assert engine.started == first


def test_a_worker_whose_master_is_gone_ends() -> None:
    side, _, _, clock = armed_and_started()
    began_s = clock.now_s
    side.report_forever()
    assert clock.now_s - began_s < 40


def test_a_worker_that_waits_for_others_to_come_waits_as_long_as_it_takes() -> None:
    side, _, told, clock = a_worker()
    clock.at(clock.now_s + 200, lambda: side.leave("its pod must go"))
    began_s = clock.now_s
    side.report_forever()
    assert clock.now_s - began_s >= 200
    assert told.messages == []


def test_a_worker_that_must_go_hands_over_everything_first() -> None:
    side, engine, told, _ = armed_and_started()
    side.leave("its pod must go")
    side.report()
    assert engine.halted == "its pod must go"
    assert told.last("golive_delta")["final"]
    assert not side.outbox.is_empty  # it stays until the master has it


def test_a_worker_that_must_go_before_the_load_has_nothing_to_hand_over() -> None:
    side, _, _, clock = a_worker()
    began_s = clock.now_s
    side.leave("its pod must go")
    side.report_forever()
    assert clock.now_s == began_s


def test_a_pod_says_which_index_it_is() -> None:
    side, _, told, _ = a_worker()
    side.identity = {"index": 3, "pod": "w-3", "pod_uid": "u", "node": "n1"}
    side.hear("golive_ping", {"sent_s": 0.0})
    assert told.last("golive_pong")["identity"]["index"] == 3
