"""Leads the search for the limit: orders level after level, by what a judge that it was handed says of each."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from loadtest.legs import LegOrder, LegOrders
from loadtest.record import append_event
from loadtest.tail import Tail
from scenarios.plan import Plan
from scenarios.plan_check import CANARY_S, CANARY_SHARE
from scenarios.profile import Phase
from scenarios.search import (
    SETTLED,
    Bracket,
    Found,
    LevelOutcome,
    LevelSays,
    Search,
    Tried,
    bracket_of,
    next_step,
    proof_rate_rps,
)  # fmt: skip
from scenarios.target import TargetClass

LOOK_EVERY_S = 2.5
REPORTED_AFTER_S = 4  # what is older has been reported
CALM_S = 5  # the latency is back when it has been for so long
MISSED_AFTER_S = 10  # no level is called missed earlier
AGREEING = 2  # looks in a row that must say the same: a decision is not one unlucky second's
REST_SHARE = 0.1
SLACK_S = 15.0  # a level's rate line is longer than its time, so that it is always ended, never over by itself


class LevelJudge(Protocol):
    """What the command line hands over: what makes load cannot judge it."""

    def begin(self) -> None:
        """Look only at what is recorded from here on."""
        ...

    def look(self, start_unix_s: float, end_unix_s: float, rate_rps: float) -> LevelSays:
        """What these seconds say while the load goes on, by what golive itself saw and the backlog."""
        ...

    def conclude(self, level: int) -> LevelSays:
        """What the whole of a level says, when the platform has settled after it."""
        ...

    def settled(self) -> bool:
        """Whether the backlog is worked off."""
        ...

    def caught_up(self) -> bool:
        """Whether every autoscaler has what it wants, or all it may have."""
        ...


Steps = Generator[None, None, None]


@dataclass(slots=True)
class Searcher:
    """Called again and again while the load goes on (`step`); never waits itself."""

    plan: Plan
    folder: Path
    judge: LevelJudge
    now_unix_s: Callable[[], float] = time.time
    tried: list[Tried] = field(default_factory=list)
    _orders: LegOrders = field(init=False)
    _events: Tail = field(init=False)
    _course: Steps = field(init=False)
    _legs: int = 0
    _started: dict[int, float] = field(default_factory=dict)  # leg → its first instant
    _ended: dict[int, str] = field(default_factory=dict)
    _rates: dict[int, float] = field(default_factory=dict)
    _began_unix_s: float = 0.0
    _is_over: bool = False  # somebody ended the run

    def __post_init__(self) -> None:
        """Nothing is ordered before the first step."""
        self._orders, self._events = LegOrders(self.folder), Tail(self.folder / "events.jsonl")
        self._course = self._search()

    def step(self) -> None:
        """Do what can be done now."""
        for line in self._events.lines():
            self._take(json.loads(line))
        if not self._is_over:
            next(self._course, None)

    @property
    def search(self) -> Search:
        """How the limit is sought."""
        assert self.plan.search is not None
        return self.plan.search

    @property
    def offered_ratio(self) -> float:
        """How much more is offered than is proved."""
        held = max(phase.to_rps for phase in self.plan.profile.phases if phase.judged)
        return held / self.plan.rate_to_prove_rps

    # --- the course --------------------------------------------------------------------------

    def _search(self) -> Steps:
        """Levels until nothing is left to try, the time is spent or the platform does not settle; then the proof."""
        because = ""
        if self.plan.target.target_class is not TargetClass.REHEARSAL:
            because = yield from self._canary()
        while not because:
            step = next_step(self.search, self.tried)
            if isinstance(step, Found):
                because = step.because
            elif self._is_spent:
                because = f"its {self.search.budget_s:,.0f} s were spent"
            else:
                because = yield from self._level(step.rate_rps)
        known = bracket_of(self.tried)
        self._event("search_ended", because=because, met_rps=known.met_rps, ceiling_rps=known.ceiling_rps)
        yield from self._prove(known)
        self._orders.over(because)

    def _canary(self) -> Generator[None, None, str]:
        """On a real target the first packet is a question; returns why the search is over, or nothing."""
        rps = max(self.search.start_rps * CANARY_SHARE, 1.0)
        self.judge.begin()
        canary = replace(self._flat("canary", CANARY_S, rps), beside_share=CANARY_SHARE)
        leg = yield from self._drive("canary", rps, (canary,))
        yield from self._until(lambda: leg in self._ended)
        started = int(self._started[leg])
        said = self.judge.look(started, started + int(CANARY_S) - REPORTED_AFTER_S, rps)
        return f"the canary failed: {said.because}" if said.outcome is LevelOutcome.MISSED else ""

    def _level(self, rate_rps: float) -> Generator[None, None, str]:
        """Hold one rate until it is decided, let the platform settle, hear the judge; why the search is over, or ""."""
        level, offered_rps, search = len(self.tried) + 1, rate_rps * self.offered_ratio, self.search
        catch_up_s = search.catch_up_at_most_s if search.replicas == "autoscaled" else 0.0
        held_s = catch_up_s + search.level_at_most_s + SLACK_S
        ramp = Phase(name=f"up-to-{level}", duration_s=search.ramp_s, from_rps=0.0, to_rps=offered_rps, judged=False)
        self.judge.begin()
        leg = yield from self._drive(
            "level", rate_rps, (ramp, self._flat(f"level-{level}", held_s, offered_rps)), level=level
        )
        self._began_unix_s = self._began_unix_s or self._started[leg]
        start_unix_s = yield from self._caught_up(leg)
        yield from self._held(level, leg, start_unix_s)
        settled = yield from self._rest()
        says = self.judge.conclude(level)
        self.tried.append(Tried(rate_rps=rate_rps, outcome=says.outcome))
        self._event("level_decided", level=level, outcome=says.outcome.value, by=list(says.by), because=says.because)
        return "" if settled else f"the platform had not settled {search.rest_at_most_s:.0f} s after level {level}"

    def _caught_up(self, leg: int) -> Generator[None, None, int]:
        """Wait for the end of the ramp and for the autoscaler; returns the first second that counts."""
        ramped_unix_s = self._started[leg] + self.search.ramp_s
        yield from self._until(lambda: leg in self._ended or self.now_unix_s() >= ramped_unix_s + 1)
        if self.search.replicas == "autoscaled":
            yield from self._content(leg, ramped_unix_s)
        return math.ceil(self.now_unix_s())

    def _content(self, leg: int, since_unix_s: float) -> Steps:
        """Until the autoscaler has been content for long enough, or was given long enough."""
        content_unix_s = look_unix_s = since_unix_s
        while leg not in self._ended and self.now_unix_s() < since_unix_s + self.search.catch_up_at_most_s:
            if self.now_unix_s() >= look_unix_s:
                look_unix_s = self.now_unix_s() + LOOK_EVERY_S
                content_unix_s = content_unix_s if self.judge.caught_up() else self.now_unix_s()
            if self.now_unix_s() - content_unix_s >= self.search.quiet_s:
                return
            yield

    def _held(self, level: int, leg: int, start_unix_s: int) -> Steps:
        """Look until the same is said often enough, or the level's time is spent; then end its leg."""
        rate_rps, said, agreeing, because = self._rates[leg], None, 0, ""
        self._event("level_hold_started", level=level, from_unix_s=start_unix_s)
        look_unix_s, end_unix_s = float(start_unix_s), start_unix_s
        while not because and leg not in self._ended:
            yield
            if self.now_unix_s() < look_unix_s:
                continue
            look_unix_s = self.now_unix_s() + LOOK_EVERY_S
            end_unix_s = max(int(self.now_unix_s()) - REPORTED_AFTER_S, start_unix_s)
            says = self.judge.look(start_unix_s, end_unix_s, rate_rps)
            agreeing, said = (agreeing + 1 if says.outcome is said else 1), says.outcome
            because = self._decided(says, agreeing, end_unix_s - start_unix_s)
        because = because or f"its leg ended: {self._ended[leg]}"
        self._event("level_held", level=level, from_unix_s=start_unix_s, until_unix_s=end_unix_s, because=because)
        self._orders.end(leg, because)
        yield from self._until(lambda: leg in self._ended)

    def _decided(self, says: LevelSays, agreeing: int, held_s: int) -> str:
        """Why a level need not be held any longer; "" while it must be."""
        needed_s = MISSED_AFTER_S if says.outcome is LevelOutcome.MISSED else self.search.level_s
        if says.outcome is not LevelOutcome.UNDECIDED and agreeing >= AGREEING and held_s >= needed_s:
            return f"decided: {says.outcome.value}"
        # A level that was begun in time is brought to its end: cut short, it would be met by less than was asked.
        return f"its {self.search.level_at_most_s:.0f} s were spent" if held_s >= self.search.level_at_most_s else ""

    def _rest(self) -> Generator[None, None, bool]:
        """A light load until backlog and latency are back; whether they came back."""
        rps = self.search.start_rps * self.offered_ratio * REST_SHARE
        self.judge.begin()
        leg = yield from self._drive(
            "rest", rps, (self._flat(f"rest-{self._legs + 1}", self.search.rest_at_most_s, rps),)
        )
        look_unix_s = self._started[leg] + self.search.rest_at_least_s + REPORTED_AFTER_S
        calm = False
        while not calm and leg not in self._ended:
            yield
            if self.now_unix_s() >= look_unix_s:
                look_unix_s = self.now_unix_s() + LOOK_EVERY_S
                end_unix_s = int(self.now_unix_s()) - REPORTED_AFTER_S
                said = self.judge.look(end_unix_s - CALM_S, end_unix_s, 0.0)
                calm = said.outcome is not LevelOutcome.MISSED and self.judge.settled()
        self._orders.end(leg, SETTLED if calm else "the platform did not settle")
        yield from self._until(lambda: leg in self._ended)
        return calm

    def _prove(self, known: Bracket) -> Steps:
        """The plan's own phases at a rate below the highest that was met; again a little lower where that fails."""
        for failed in range(self.search.proofs_at_most if known.met_rps else 0):
            assert known.met_rps
            rate_rps = proof_rate_rps(self.search, known.met_rps, failed)
            factor = rate_rps / self.plan.rate_to_prove_rps
            phases = tuple(
                replace(phase, name=f"{phase.name}-{self._legs + 1}" if failed else phase.name,
                        from_rps=phase.from_rps * factor, to_rps=phase.to_rps * factor)
                for phase in self.plan.profile.phases
            )  # fmt: skip
            self.judge.begin()
            leg = yield from self._drive("proof", rate_rps, phases)
            yield from self._until(lambda leg=leg: leg in self._ended)  # type: ignore[misc]
            if self._proof_says(leg, phases, rate_rps).outcome is not LevelOutcome.MISSED:
                return
            if failed + 1 < self.search.proofs_at_most and not (yield from self._rest()):
                return

    def _proof_says(self, leg: int, phases: tuple[Phase, ...], rate_rps: float) -> LevelSays:
        before_s = sum(phase.duration_s for phase in itertools.takewhile(lambda phase: not phase.judged, phases))
        held_s = sum(phase.duration_s for phase in phases if phase.judged)
        start_unix_s = math.ceil(self._started[leg] + before_s)
        return self.judge.look(start_unix_s, int(start_unix_s + held_s), rate_rps)

    # --- its hands ---------------------------------------------------------------------------

    @property
    def _is_spent(self) -> bool:
        return bool(self._began_unix_s) and self.now_unix_s() - self._began_unix_s >= self.search.budget_s

    def _drive(
        self, purpose: str, rate_rps: float, phases: tuple[Phase, ...], *, level: int = 0
    ) -> Generator[None, None, int]:
        """Order a leg and wait until it has begun; returns its number."""
        self._legs += 1
        leg = self._legs
        self._rates[leg] = rate_rps
        self._orders.leg(LegOrder(number=leg, purpose=purpose, level=level, rate_rps=rate_rps, phases=phases))
        yield from self._until(lambda: leg in self._started)
        return leg

    @staticmethod
    def _flat(name: str, duration_s: float, rps: float) -> Phase:
        return Phase(name=name, duration_s=duration_s, from_rps=rps, to_rps=rps, judged=False)

    @staticmethod
    def _until(holds: Callable[[], bool]) -> Steps:
        while not holds():
            yield

    def _take(self, event: dict[str, Any]) -> None:
        if event["event"] == "leg_started":
            self._started[int(event["leg"])] = float(event["t0_unix_s"])
        elif event["event"] == "leg_ended":
            self._ended[int(event["leg"])] = str(event["because"])
        elif event["event"] == "load_ended":
            self._is_over = True

    def _event(self, kind: str, **fields: Any) -> None:
        append_event(self.folder, kind, at_unix_s=self.now_unix_s(), **fields)
