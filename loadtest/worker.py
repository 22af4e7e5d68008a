"""One worker's side of a run: arm the engine, start it on the master's clock, ship its counts until acknowledged."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadtest.ledger import Outbox
from loadtest.ports import BuildSender, Clock, OffHub, Sender, Wire
from loadtest.vitals import Vitals

LEASE_S = 4.0  # without an acknowledgement for so long the engine stops by itself
REPORT_EVERY_S = 1.0
RESEND_AFTER_S = 3.0  # without any progress; the last one sooner: the master waits for it, and not for long
RESEND_LAST_AFTER_S = 1.0
GIVE_UP_AFTER_S = 30.0  # a worker whose master stays silent for so long after its lease ends itself


@dataclass(slots=True)
class WorkerSide:
    """Answers the master's messages and reports to it once a second."""

    wire: Wire
    clock: Clock
    build: BuildSender
    off_hub: OffHub
    vitals: Vitals
    identity: Mapping[str, Any] = field(default_factory=dict)  # which pod this is; empty on one machine
    shard: int = -1
    engine: Sender | None = None
    outbox: Outbox = field(default_factory=Outbox)
    heard_s: float = 0.0
    final_sent: bool = False
    leaving: bool = False
    more: bool = False  # another load may follow this one

    def hear(self, kind: str, content: Mapping[str, Any]) -> None:
        """Take one message of the master."""
        self.heard_s = self.clock.monotonic_s()
        match kind:
            case "golive_ping":
                answer = {"sent_s": content["sent_s"], "unix_s": self.clock.unix_s(), "identity": dict(self.identity)}
                self._send("golive_pong", answer)
            case "golive_arm":
                self._arm(content)
            case "golive_go":
                self._go(content)
            case "golive_ack":
                self._acknowledged(int(content["seq"]))
            case "golive_over":
                self.more = False
            case "golive_halt":
                if self.engine:
                    self.engine.halt(because=str(content["because"]))

    def report_forever(self) -> None:
        """Ship what was counted, once a second, until the master has all of it."""
        self.heard_s = self.clock.monotonic_s()
        while self.more or not (self.final_sent and self.outbox.is_empty):
            self.clock.sleep_s(REPORT_EVERY_S)
            self.report()
            if self._is_loading and self.clock.monotonic_s() - self.heard_s > LEASE_S + GIVE_UP_AFTER_S:
                return

    @property
    def _is_loading(self) -> bool:
        """Whether it has been told to go. Until then it waits for others, and Locust's own heartbeat is enough."""
        return self.engine is not None and self.engine.state() != "new"

    def report(self) -> None:
        """Drain the engine once and send what is new, and again what has long not been acknowledged."""
        if self.engine is None or not self._is_loading:
            return
        if not self.final_sent:
            done = self.engine.state() == "done"
            body = self.engine.drain(everything=done)
            self.outbox.put(body=body, vitals=self.vitals.read(), final=done)
            self.final_sent = done
        again_after_s = RESEND_LAST_AFTER_S if self.final_sent else RESEND_AFTER_S
        for delta in self.outbox.to_send(now_s=self.clock.monotonic_s(), again_after_s=again_after_s):
            self._send(
                "golive_delta",
                {"seq": delta.seq, "body": delta.body, "vitals": delta.vitals, "final": delta.final,
                 "halted_because": self.engine.halted_because()},
            )  # fmt: skip

    def leave(self, because: str) -> None:
        """Hand over what is in flight and end: this process is about to be taken away."""
        self.leaving, self.more = True, False
        if self.engine is None or not self._is_loading:
            self.final_sent = True  # there is nothing to hand over
        else:
            self.engine.halt(because=because)

    def _arm(self, content: Mapping[str, Any]) -> None:
        self.shard = int(content["shard"])
        try:
            engine = self.build(content["engine_plan"], self.shard, int(content["shards"]))
            problem = self.off_hub(engine.prepare)
        except ValueError as refusal:  # EngineError: the plan is not usable
            engine, problem = None, str(refusal)
        self.engine, self.final_sent, self.more = engine, False, bool(content.get("more"))
        self._send("golive_armed", {"problem": problem})

    def _go(self, content: Mapping[str, Any]) -> None:
        if self.engine is None:
            return
        local_start_s = content["t0_unix_s"] + content["clock_offset_s"]
        start_in_s = max(local_start_s - self.clock.unix_s(), 0.0)
        # A worker told twice, or told late after a thaw, must not begin again.
        with contextlib.suppress(ValueError):
            self.engine.start(
                start_in_us=int(start_in_s * 1e6),
                start_unix_us=int(content["t0_unix_s"] * 1e6),
                lease_us=int((start_in_s + LEASE_S) * 1e6),
            )

    def _acknowledged(self, seq: int) -> None:
        self.outbox.acknowledge(seq)
        if self.engine:
            self.engine.renew_lease(lease_us=int(LEASE_S * 1e6))

    def _send(self, kind: str, content: Mapping[str, Any]) -> None:
        self.wire.send("master", kind, {"shard": self.shard, **content})
