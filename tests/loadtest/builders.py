"""Plans, deltas and stand-ins in the words of the tests of loadtest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from loadtest.director import Director
from loadtest.record import RecordWriter
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.workload import Request, Workload

SECOND = 1_790_000_000


def a_plan(*, duration_s: float = 10.0, rps: float = 100.0, timeout_s: float = 2.0, **changes: Any) -> Plan:
    return Plan(
        **{
            "name": "test",
            "workload": Workload(
                name="one", requests=(Request(name="home", weight=1, method="GET", path="/", timeout_s=timeout_s),)
            ),
            "profile": Profile(phases=(Phase(name="hold", duration_s=duration_s, from_rps=rps, to_rps=rps),)),
            "target": Target(name="here", url="http://127.0.0.1:1", target_class=TargetClass.REHEARSAL),
            "objectives": (),
            "rate_to_prove_rps": rps,
            **changes,
        }
    )


def counts(
    second: int = SECOND, *, ok: int = 0, failed: Mapping[str, int] | None = None, unsent: int = 0, name: str = "home"
) -> dict[str, Any]:
    failed = dict(failed or {})
    sent = ok + sum(failed.values())
    return {
        "second": second, "request": name, "due": sent + unsent, "sent": sent, "ok": ok, "failed": failed,
        "unavailable": 0, "unsent": unsent, "sent_bytes": 0, "received_bytes": 10 * ok,
    }  # fmt: skip


def latency(second: int, times_us: list[int], tag: str = "home") -> dict[str, Any]:
    histogram = HdrHistogram(1, 60_000_000, 3)
    for time_us in times_us:
        histogram.record_value(time_us)
    return {"second": second, "tag": tag, "hdr": histogram.encode().decode()}


@dataclass
class FakeClock:
    """Time passes only when someone sleeps; then whatever was planned for that instant happens."""

    now_s: float = float(SECOND)
    stepped_s: float = 0.0  # somebody has set the wall clock
    planned: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def unix_s(self) -> float:
        return self.now_s + self.stepped_s

    def monotonic_s(self) -> float:
        return self.now_s

    def sleep_s(self, duration_s: float) -> None:
        until_s = self.now_s + duration_s
        for at_s, happen in sorted(self.planned, key=lambda entry: entry[0]):
            if at_s <= until_s and (at_s, happen) in self.planned:
                self.planned.remove((at_s, happen))
                self.now_s = max(self.now_s, at_s)
                happen()
        self.now_s = until_s

    def at(self, at_s: float, happen: Callable[[], object]) -> None:
        self.planned.append((at_s, happen))


@dataclass
class FakeWorker:
    """A worker as the director sees it: answers at once, sends what it is told to."""

    id: str
    director: Director | None = None
    clock_offset_s: float = 0.0
    problem: str = ""
    arms: bool = True
    identity: Mapping[str, Any] = field(default_factory=dict)
    answers_pings: bool = True
    heard: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    acknowledged: int = 0

    def take(self, kind: str, content: Mapping[str, Any], now_s: float) -> None:
        self.heard.append((kind, content))
        assert self.director
        if kind == "golive_ping" and self.answers_pings:
            answer = {"sent_s": content["sent_s"], "unix_s": now_s + self.clock_offset_s, "identity": self.identity}
            self.director.hear(self.id, "golive_pong", answer)
        elif kind == "golive_arm" and self.arms:
            self.director.hear(self.id, "golive_armed", {"problem": self.problem})
        elif kind == "golive_ack":
            self.acknowledged = content["seq"]

    def sends(self, seq: int, *entries: dict[str, Any], final: bool = False, halted_because: str = "") -> None:
        assert self.director
        body = json.dumps({"counts": list(entries), "latency": [], "in_flight": [], "control_timer_us": []})
        delta = {"seq": seq, "body": body, "vitals": {}, "final": final, "halted_because": halted_because}
        self.director.hear(self.id, "golive_delta", delta)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.heard]


class NoAccounts:
    """Keeps count of nothing."""

    def accepted(self, **_: Any) -> None: ...

    def happened(self, kind: str, fields: Mapping[str, Any]) -> None: ...


@dataclass
class FakeWire:
    workers: dict[str, FakeWorker]
    clock: FakeClock

    def send(self, to: str, kind: str, content: Mapping[str, Any]) -> None:
        self.workers[to].take(kind, content, self.clock.now_s)


@dataclass
class Stand:
    """A director with its workers, its clock and its record, ready to direct."""

    director: Director
    workers: list[FakeWorker]
    clock: FakeClock
    folder: Path
    stop_asked_by: str = ""

    def direct(self) -> None:
        try:
            self.director.direct([worker.id for worker in self.workers])
        finally:
            self.director.record.close()

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]

    def event(self, kind: str) -> dict[str, Any] | None:
        return next((event for event in self.events() if event["event"] == kind), None)

    def happened(self, kind: str) -> dict[str, Any]:
        """The event, which must have been written down."""
        event = self.event(kind)
        assert event, f"no {kind}"
        return event

    def seconds(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "seconds.jsonl").read_text().splitlines()]


def a_pod(index: int, *, pod_uid: str = "", node: str = "n1") -> FakeWorker:
    """A worker that is a pod of an Indexed Job."""
    uid = pod_uid or f"uid-{index}"
    identity = {"index": index, "pod": f"worker-{index}-{uid}", "pod_uid": uid, "node": node}
    return FakeWorker(id=f"{uid}_x", identity=identity)


def a_stand(
    folder: Path, *, workers: int = 1, plan: Plan | None = None, pods: Sequence[FakeWorker] | None = None
) -> Stand:
    """A director on one machine, or (given pods) of an Indexed Job of `workers` pods."""
    plan = replace(plan or a_plan(), workers=workers)
    clock = FakeClock()
    hands = [FakeWorker(id=f"host_{index}") for index in range(workers)] if pods is None else list(pods)
    stand: Stand
    director = Director(
        plan=plan,
        engine_plan="{}",
        due_per_second=[int(plan.profile.peak_rps)] * int(plan.profile.duration_s),
        record=RecordWriter(folder),
        wire=FakeWire({hand.id: hand for hand in hands}, clock),
        clock=clock,
        accounts=NoAccounts(),
        stop_requested=lambda: stand.stop_asked_by,
        by_index=pods is not None,
    )
    for hand in hands:
        hand.director = director
    stand = Stand(director, hands, clock, folder)
    return stand
