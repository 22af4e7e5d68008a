"""The search as it is led: against a master and a platform that are simulated, in a time of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from loadtest.record import append_event
from loadtest.search import Searcher
from scenarios.plan import Plan
from scenarios.profile import Phase, Profile
from scenarios.search import LevelOutcome, LevelSays, Search
from tests.loadtest.builders import SECOND, a_plan

STEP_S = 0.25
LONGEST_S = 6000.0


@dataclass
class Simulated:
    """A platform of known capacity, the master that drives it, and the judge who sees both."""

    folder: Path
    capacity_rps: float
    now_s: float = float(SECOND)
    settles: bool = True
    ours_ends_at_rps: float = float("inf")  # from here on golive itself is too slow
    looks: list[tuple[float, float, float]] = field(default_factory=list)
    rates: dict[int, float] = field(default_factory=dict)  # level → rate
    over: str = ""
    _read: int = 0
    _on: dict[str, Any] | None = None
    _until_s: float = 0.0

    def begin(self) -> None:
        pass

    def look(self, start_unix_s: float, end_unix_s: float, rate_rps: float) -> LevelSays:
        self.looks.append((start_unix_s, end_unix_s, rate_rps))
        return self.says(rate_rps)

    def conclude(self, level: int) -> LevelSays:
        return self.says(self.rates[level])

    def settled(self) -> bool:
        return self.settles

    def caught_up(self) -> bool:
        return True

    def says(self, rate_rps: float) -> LevelSays:
        if rate_rps >= self.ours_ends_at_rps:
            return LevelSays(outcome=LevelOutcome.VOID, by=("schedule-lag",))
        return LevelSays(outcome=LevelOutcome.MET if rate_rps <= self.capacity_rps else LevelOutcome.MISSED)

    def master(self) -> None:
        """Obey the orders, as far as they have come."""
        path = self.folder / "legs.jsonl"
        lines = path.read_text().splitlines()[self._read :] if path.exists() else []
        for line in map(json.loads, lines):
            if "leg" in line and self._on is not None:
                break
            self._read += 1
            if "leg" in line:
                self._start(line)
            elif "end" in line and self._on and line["end"] == self._on["leg"]:
                self._end(line["because"])
            elif "over" in line:
                self.over = line["over"]
        if self._on and self.now_s >= self._until_s:
            self._end("its time was over")

    def _start(self, line: dict[str, Any]) -> None:
        self._on, t0 = line, float(int(self.now_s) + 2)
        self._until_s = t0 + sum(phase["duration_s"] for phase in line["phases"])
        self.rates[line["level"]] = line["rate_rps"]
        append_event(self.folder, "leg_started", at_unix_s=self.now_s, t0_unix_s=t0, **line)

    def _end(self, because: str) -> None:
        assert self._on
        append_event(self.folder, "leg_ended", at_unix_s=self.now_s, leg=self._on["leg"], because=because)
        self._on = None


def a_search_plan(**changes: Any) -> Plan:
    search = Search(**{"start_rps": 100.0, "most_rps": 100_000.0, "at_least_rps": 1000.0, **changes})
    phases = (
        Phase(name="ramp", duration_s=5.0, from_rps=0.0, to_rps=1050.0, judged=False),
        Phase(name="hold", duration_s=30.0, from_rps=1050.0, to_rps=1050.0),
    )
    return a_plan(search=search, profile=Profile(phases=phases), rate_to_prove_rps=1000.0)


def led(folder: Path, platform: Simulated, until: Callable[[], bool] | None = None, **changes: Any) -> Searcher:
    (folder / "events.jsonl").touch()
    searcher = Searcher(a_search_plan(**changes), folder, platform, now_unix_s=lambda: platform.now_s)
    while not platform.over and platform.now_s < SECOND + LONGEST_S and not (until and until()):
        searcher.step()
        platform.master()
        platform.now_s += STEP_S
    return searcher


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [one for one in map(json.loads, (folder / "events.jsonl").read_text().splitlines()) if one["event"] == kind]


def legs(folder: Path, purpose: str) -> list[dict[str, Any]]:
    return [one for one in events(folder, "leg_started") if one["purpose"] == purpose]


@pytest.mark.parametrize("replicas", ["fixed", "autoscaled"])
def test_the_capacity_is_found_and_proved_a_margin_below(tmp_path: Path, replicas: str) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=1234.0), replicas=replicas)
    ended, proofs = events(tmp_path, "search_ended")[0], legs(tmp_path, "proof")
    assert ended["met_rps"] <= 1234 < ended["ceiling_rps"]
    assert ended["ceiling_rps"] - ended["met_rps"] <= 0.05 * ended["ceiling_rps"]
    assert [proof["rate_rps"] for proof in proofs] == [pytest.approx(0.95 * ended["met_rps"], rel=0.01)]
    assert proofs[0]["phases"][1]["to_rps"] == pytest.approx(1.05 * proofs[0]["rate_rps"])


def test_a_level_is_held_for_its_time_when_met_and_no_longer_than_needed_when_missed(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=150.0), replicas="fixed", level_s=20.0)
    held = {one["level"]: one["until_unix_s"] - one["from_unix_s"] for one in events(tmp_path, "level_held")}
    assert 20 <= held[1] <= 25
    assert 10 <= held[2] <= 15


def test_the_platform_rests_after_every_level(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=500.0), replicas="fixed")
    assert len(legs(tmp_path, "rest")) == len(legs(tmp_path, "level"))
    assert all(leg["phases"][0]["to_rps"] == pytest.approx(10.5) for leg in legs(tmp_path, "rest"))


def test_a_platform_that_does_not_settle_ends_the_search(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=500.0, settles=False), replicas="fixed")
    assert "had not settled 90 s after level 1" in events(tmp_path, "search_ended")[0]["because"]
    assert len(legs(tmp_path, "proof")) == 1


def test_when_the_time_is_spent_what_was_found_is_proved(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=5000.0), replicas="fixed", budget_s=100.0)
    ended = events(tmp_path, "search_ended")[0]
    assert "were spent" in ended["because"]
    assert ended["ceiling_rps"] is None
    assert len(legs(tmp_path, "proof")) == 1


@pytest.mark.parametrize("budget_s", [31.0, 45.0, 60.0, 100.0, 110.0])
def test_a_level_begun_in_time_is_brought_to_its_end(tmp_path: Path, budget_s: float) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=5000.0), replicas="fixed", budget_s=budget_s, level_s=20.0)
    held = [one["until_unix_s"] - one["from_unix_s"] for one in events(tmp_path, "level_held")]
    assert min(held) >= 20
    assert {one["because"] for one in events(tmp_path, "level_held")} == {"decided: met"}


def test_where_golive_itself_is_the_end_of_it_the_level_is_tried_again(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=5000.0, ours_ends_at_rps=350.0), replicas="fixed")
    outcomes = [(leg["rate_rps"], said["outcome"]) for leg, said in
                zip(legs(tmp_path, "level"), events(tmp_path, "level_decided"), strict=True)]  # fmt: skip
    assert outcomes[2:4] == [(400.0, "void"), (400.0, "void")]
    assert events(tmp_path, "search_ended")[0]["met_rps"] < 350


def test_where_nothing_is_met_nothing_is_proved(tmp_path: Path) -> None:
    led(tmp_path, Simulated(tmp_path, capacity_rps=0.0), replicas="fixed")
    assert legs(tmp_path, "proof") == []


def test_a_run_that_was_ended_is_left_alone(tmp_path: Path) -> None:
    platform = Simulated(tmp_path, capacity_rps=500.0)
    searcher = led(tmp_path, platform, until=lambda: bool(legs(tmp_path, "level")), replicas="fixed")
    append_event(tmp_path, "load_ended", at_unix_s=platform.now_s, because="stop requested by the test")
    searcher.step()
    before = (tmp_path / "legs.jsonl").read_text()
    for _ in range(1000):
        platform.now_s += STEP_S
        searcher.step()
    assert (tmp_path / "legs.jsonl").read_text() == before
