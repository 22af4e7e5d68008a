"""The master's side of a run: arm the workers, start them on one instant, write down what they count, end the load."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtest.abort import AbortWatch
from loadtest.ending import THE_PLAN_IS_COMPLETE
from loadtest.ledger import Ledger
from loadtest.legs import Leg, LegBook
from loadtest.load_clock import LoadClock
from loadtest.ports import Accounts, Clock, Wire
from loadtest.record import RecordWriter
from loadtest.roll import Identity, Roll, TurnedAway, Worker
from scenarios.plan import Plan
from scenarios.profile import Profile

PINGS = 5
MEET_WITHIN_S = 30.0
ARM_WITHIN_S = 30.0
START_IN_S = 1.2  # long enough for the go to reach every worker
SILENT_AFTER_S = 3.5  # three reports missed
SETTLED_AFTER_S = 4  # a second's counts of what was sent have arrived by then
DRAIN_GRACE_S = 3.0
TICK_S = 0.25
# A level beyond the limit may fail like that: it ends, the search goes on below. Nobody there ends all.
ENDS_ONE_LEVEL = ("failed_for_s", "behind_for_s")


@dataclass(slots=True, kw_only=True)
class Director:
    """Leads one run from armed workers to the last delta. `hear` may be called at any time in between."""

    plan: Plan
    engine_plan: str
    due_per_second: list[int]  # from the plan alone, second by second after the start
    record: RecordWriter
    wire: Wire
    clock: Clock
    accounts: Accounts  # Locust's own tables, the metrics page
    stop_requested: Callable[[], str]  # who asked for the load to end; empty while nobody did
    t0_unix_s: float = 0.0
    failed_because: str = ""  # why no load began
    record_broken: str = ""  # why nothing more can be written down
    finished: bool = False
    legs: LegBook | None = None  # a run in several legs, each ordered while the run goes on
    by_index: bool = False  # workers are pods of an Indexed Job: each has the shard of its completion index
    _roll: Roll | None = None
    _ledger: Ledger = field(default_factory=Ledger)
    _abort: AbortWatch | None = None
    _ending: str = ""
    _cut: str = ""  # why the leg that is on ends before its time
    _profile: Profile | None = None  # the rate line that is on
    _time: LoadClock = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is led yet."""
        self._time = LoadClock(self.clock)

    def direct(self, worker_ids: list[str]) -> None:
        """Run the plan on these workers; returns when every delta that can arrive has arrived."""
        self._roll = Roll(expected=self.plan.workers, by_index=self.by_index)
        self._roll.invite(worker_ids)
        self._abort = AbortWatch(self.plan.abort)
        self._meet(self._roll)
        if self.legs is not None:
            self._direct_legs(self.legs)
        elif self._all_armed(self.engine_plan):
            self._go()
            self._drive(self.plan.profile, self.due_per_second)
            self._event("load_ended", because=self._ending or THE_PLAN_IS_COMPLETE)
            self._drain()
        self.finished = True

    def rate_rps(self) -> float:
        """What is due a second just now."""
        return self._profile.rate_at(self._time.unix_s() - self.t0_unix_s) if self._profile else 0.0

    @property
    def directs(self) -> bool:
        """Whether the run has been taken up."""
        return self._roll is not None

    def look_before_start(self) -> bool:
        """Whether somebody wants the run ended before all workers are there; it is written down then."""
        asked_by = self.stop_requested()
        if self._roll is not None or not asked_by:
            return False
        self.failed_because = f"stop requested by {asked_by} before the load began"
        self._event("load_failed", because=self.failed_because)
        self.finished = True
        return True

    def finish(self, because: str) -> None:
        """End the load early; the caller waits for `finished`."""
        self._ending = self._ending or because

    def came(self, worker_id: str) -> bool:
        """Take note of a worker that has just connected; whether it may still be given a shard.

        One that comes when the load has been dealt is asked who it is all the same: an index started twice is told
        apart from one that is late.
        """
        if self._roll is None or worker_id in self._workers:
            return True
        self._roll.invite([worker_id])
        if self._roll.is_unknown(worker_id):
            self._ping(worker_id)
            return True
        if worker_id in self._workers:
            return True
        self._event("worker_late", id=worker_id)
        return False

    @property
    def _workers(self) -> dict[str, Worker]:
        return self._roll.seated if self._roll else {}

    # --- before the load ---------------------------------------------------------------------

    def _meet(self, roll: Roll) -> None:
        deadline_s = self.clock.monotonic_s() + MEET_WITHIN_S
        while not roll.is_full and self.clock.monotonic_s() < deadline_s and not self._ending:
            self._look_for_a_stop()
            for worker_id in roll.to_ask:
                self._ping(worker_id)
            self.clock.sleep_s(TICK_S)
        for _ in range(PINGS):
            for worker_id in roll.to_ask:
                self._ping(worker_id)
            self.clock.sleep_s(0.05)
        if not roll.is_full:
            self.failed_because = self._ending or f"workers {roll.missing} did not come within {MEET_WITHIN_S:.0f} s"
            return

    def _arm(self, engine_plan: str) -> None:
        for worker_id, worker in self._workers.items():
            worker.disarm()
            arming = {"engine_plan": engine_plan, "shard": worker.shard, "shards": self.plan.workers}
            self.wire.send(worker_id, "golive_arm", {**arming, "more": self.legs is not None})

    def _ping(self, worker_id: str) -> None:
        self.wire.send(worker_id, "golive_ping", {"sent_s": self.clock.monotonic_s()})

    def _seat(self, worker_id: str, content: Mapping[str, Any]) -> None:
        """A worker of an Indexed Job has said which index it is."""
        assert self._roll
        found = self._roll.take_seat(worker_id, Identity.read(content.get("identity", {})))
        if not isinstance(found, TurnedAway):
            return
        told = asdict(found.identity) if found.identity else {}
        if found.kept and found.identity and found.kept.pod_uid != found.identity.pod_uid:
            kept = {"kept_pod": found.kept.pod, "kept_pod_uid": found.kept.pod_uid}
            self._event("worker_duplicate", shard=found.identity.index, id=worker_id, **told, **kept)
        else:
            self._event("worker_late", id=worker_id, **told)

    def _all_armed(self, engine_plan: str) -> bool:
        if not self.failed_because and not self._ending:
            self._arm(engine_plan)
        deadline_s = self.clock.monotonic_s() + ARM_WITHIN_S
        while not self._ending and not self.failed_because and not all(one.armed for one in self._workers.values()):
            if self.clock.monotonic_s() > deadline_s:
                late = [worker.shard for worker in self._workers.values() if not worker.armed]
                self.failed_because = f"workers {late} were not ready within {ARM_WITHIN_S:.0f} s"
                break
            self._look_for_a_stop()
            self.clock.sleep_s(0.05)
        problems = sorted({worker.problem for worker in self._workers.values() if worker.problem})
        self.failed_because = self.failed_because or self._ending or "; ".join(problems)
        if self.failed_because and not self.t0_unix_s:
            self._event("load_failed", because=self.failed_because)
        return not self.failed_because

    def _go(self) -> None:
        first = not self.t0_unix_s
        self._time.begin()
        # A whole second, so that every count is booked in a second the plan knows.
        self.t0_unix_s = float(math.ceil(self._time.unix_s() + START_IN_S))
        for worker_id, worker in self._workers.items():
            worker.heard_unix_s = self.t0_unix_s
            order = {"t0_unix_s": self.t0_unix_s, "clock_offset_s": worker.clock_offset_s}
            self.wire.send(worker_id, "golive_go", order)
            if first:
                who = {"identity": asdict(worker.identity)} if worker.identity else {}
                offset_s = worker.clock_offset_s
                self._event("worker_ready", worker=worker.shard, id=worker_id, clock_offset_s=offset_s, **who)
        if first:
            self._event("load_started", t0_unix_s=self.t0_unix_s)

    # --- while it goes on --------------------------------------------------------------------

    def hear(self, worker_id: str, kind: str, content: Mapping[str, Any]) -> None:
        """Take one message of a worker."""
        if kind == "golive_pong" and self._roll and self._roll.is_unknown(worker_id):
            self._seat(worker_id, content)
        worker = self._workers.get(worker_id)
        if worker is None:
            return
        match kind:
            case "golive_pong":
                self._learn_offset(worker, content)
            case "golive_armed":
                worker.armed, worker.problem = True, str(content["problem"])
            case "golive_delta":
                self._take(worker_id, worker, content)

    def _learn_offset(self, worker: Worker, content: Mapping[str, Any]) -> None:
        """The offset of the worker's wall clock, by the exchange with the shortest round trip (as NTP does)."""
        now_s, now_unix_s = self.clock.monotonic_s(), self.clock.unix_s()  # as the worker goes by its own
        round_trip_s = now_s - float(content["sent_s"])
        if round_trip_s < worker.round_trip_s:
            worker.round_trip_s = round_trip_s
            worker.clock_offset_s = round(float(content["unix_s"]) - (now_unix_s - round_trip_s / 2), 6)

    def _take(self, worker_id: str, worker: Worker, content: Mapping[str, Any]) -> None:
        worker.heard_unix_s = self._time.unix_s()
        if worker.lost:
            worker.lost = False
            self._event("worker_returned", worker=worker.shard)
        seq = int(content["seq"])
        if self._ledger.is_next(worker.shard, seq) and not self.record_broken:
            self._write_down(worker, seq, content)
        self.wire.send(worker_id, "golive_ack", {"seq": self._ledger.last_seq(worker.shard)})

    def _write_down(self, worker: Worker, seq: int, content: Mapping[str, Any]) -> None:
        """Write a delta, and only then count it as accepted: what is acknowledged is on disk."""
        try:
            self._write(worker, seq, content)
        except OSError as refused:  # a full disk, above all
            self.record_broken = f"the record could not be written: {refused.strerror or refused}"
            self.finish(self.record_broken)
            return
        self._ledger.accept(worker.shard, seq)

    def _write(self, worker: Worker, seq: int, content: Mapping[str, Any]) -> None:
        body = json.loads(content["body"]) if content["body"] else {}
        self.record.delta(worker=worker.shard, seq=seq, body=body)
        self.record.vitals(worker=worker.shard, vitals=content["vitals"], body=body)
        if self._abort:
            self._abort.count(body)
        self.accounts.accepted(worker=worker.shard, body=body, vitals=content["vitals"])
        self._note_halt(worker, str(content.get("halted_because", "")))
        if content["final"]:
            worker.drained = True
            self._event("worker_drained", worker=worker.shard, last_seq=seq)

    def _note_halt(self, worker: Worker, because: str) -> None:
        if because and not worker.halted_because:
            worker.halted_because = because
            if because not in (self._ending, self._cut):
                self._event(
                    "worker_lost", worker=worker.shard, because=f"its engine stopped: {because}",
                    last_seq=self._ledger.last_seq(worker.shard), last_delta_unix_s=worker.heard_unix_s,
                )  # fmt: skip

    def _drive(self, profile: Profile, due_per_second: list[int], leg: Leg | None = None) -> None:
        self._profile, self._cut = profile, ""
        due = {int(self.t0_unix_s) + second: count for second, count in enumerate(due_per_second)}
        phases = list(zip(profile.starts_s(), profile.phases, strict=True))
        end_unix_s = self.t0_unix_s + profile.duration_s
        while self._time.unix_s() < end_unix_s and not self._ending and not self._cut:
            while phases and self._time.unix_s() >= self.t0_unix_s + phases[0][0]:
                start_s, phase = phases.pop(0)
                self._event("phase_started", phase=phase.name, judged=phase.judged, t0_unix_s=self.t0_unix_s + start_s)
            self._look_at_the_clock()
            self._look_after_workers()
            self._look_for_a_reason_to_stop(due, leg)
            self.clock.sleep_s(TICK_S)
        self._profile = None

    def _look_at_the_clock(self) -> None:
        by_s = self._time.newly_stepped_s(self.plan.thresholds.clock_skew_s)
        if by_s:
            self._event("clock_stepped", by_s=round(by_s, 3))

    # --- in legs -----------------------------------------------------------------------------

    def _direct_legs(self, legs: LegBook) -> None:
        """One leg after the other, as they are ordered; a worker that was lost ends them all."""
        while (leg := self._next_leg(legs)) is not None:
            self._abort = AbortWatch(self.plan.abort)
            if not self._all_armed(leg.engine_plan):
                break
            self._go()
            legs.began(leg, self.t0_unix_s)
            self._event("leg_started", t0_unix_s=self.t0_unix_s, **leg.order.to_json())
            self._drive(leg.order.profile, [sum(second) for second in leg.due], leg)
            legs.ended(self._time.unix_s())
            self._event("leg_ended", leg=leg.order.number, because=self._ending or self._cut or "its time was over")
            self._drain()
            lost = [worker.shard for worker in self._workers.values() if worker.lost]
            if lost:
                self.finish(f"workers {lost} were lost: the generator is not whole any more")
        if self.t0_unix_s:
            because = self._ending or self.failed_because or THE_PLAN_IS_COMPLETE
            self._event("load_ended", because=because)
        for worker_id in self._workers:
            self.wire.send(worker_id, "golive_over", {})

    def _next_leg(self, legs: LegBook) -> Leg | None:
        for worker in self._workers.values():
            worker.round_trip_s = math.inf  # a clock may have been set since its offset was learned
        while not self._ending and not self.failed_because and not legs.over():
            order = legs.next()
            if order is not None:
                return legs.prepare(order)
            self._look_for_a_stop()
            for worker_id in self._workers:
                self._ping(worker_id)  # a worker that hears nothing for too long ends itself
            self.clock.sleep_s(TICK_S)
        return None

    def _look_after_workers(self) -> None:
        for worker_id in self._roll.unknown if self._roll else ():
            self._ping(worker_id)  # again: one that is still starting does not hear the first
        now_unix_s = self._time.unix_s()
        for worker in self._workers.values():
            if not worker.lost and not worker.drained and now_unix_s - worker.heard_unix_s > SILENT_AFTER_S:
                worker.lost = True
                self._event(
                    "worker_lost", worker=worker.shard, because=f"silent for {SILENT_AFTER_S} s",
                    last_seq=self._ledger.last_seq(worker.shard), last_delta_unix_s=worker.heard_unix_s,
                )  # fmt: skip
        # Halted by our own word at the end of a leg is not lost.
        if not self._cut and all(worker.lost or worker.halted_because for worker in self._workers.values()):
            self.finish("every worker was lost")

    def _look_for_a_reason_to_stop(self, due: Mapping[int, int], leg: Leg | None = None) -> None:
        if self._look_for_a_stop():
            return
        if leg and self.legs:
            self._cut = self.legs.ends(leg.order.number)
        settled = int(self._time.unix_s()) - SETTLED_AFTER_S
        if self.plan.closed and self._abort:
            due = self._abort.sent()  # nothing else is due in a closed model
        passed = self._abort.breach(due=due, settled_second=settled) if self._abort else None
        if passed and not self._ending:
            limit, figures = passed
            if leg and leg.order.level:
                self._event("level_aborted", level=leg.order.level, limit=limit, what=figures)
                if limit in ENDS_ONE_LEVEL:
                    self._cut = f"abort limit {limit}: {figures}"
                    return
            self._event("abort", limit=limit, what=figures)
            self.finish(f"abort limit {limit}: {figures}")

    def _look_for_a_stop(self) -> bool:
        asked_by = self.stop_requested()
        if asked_by and not self._ending:
            self._event("stop_requested", by=asked_by)
            self.finish(f"stop requested by {asked_by}")
        return bool(asked_by)

    # --- after it ----------------------------------------------------------------------------

    def _drain(self) -> None:
        if self._ending or self._cut:
            for worker_id in self._workers:
                self.wire.send(worker_id, "golive_halt", {"because": self._ending or self._cut})
        longest_s = self.plan.workload.longest_timeout_s
        deadline_s = self.clock.monotonic_s() + longest_s + DRAIN_GRACE_S
        while self.clock.monotonic_s() < deadline_s:
            self._look_after_workers()
            if all(worker.drained or worker.lost for worker in self._workers.values()):
                break
            self.clock.sleep_s(0.05)
        for worker in self._workers.values():
            if not worker.drained:
                because = "lost before its last counts arrived" if worker.lost else "still had requests in flight"
                self._event("worker_undrained", worker=worker.shard, because=because)

    def _event(self, kind: str, **fields: Any) -> None:
        self.accounts.happened(kind, fields)
        try:
            self.record.event(kind, at_unix_s=self._time.unix_s(), **fields)
        except OSError as refused:
            self.record_broken = self.record_broken or f"the record could not be written: {refused.strerror or refused}"
            self.finish(self.record_broken)
