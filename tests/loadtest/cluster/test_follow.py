"""Staying with a run on a cluster: only a master that never started is given up, however little can be reached."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pytest

from loadtest.cluster import follow as following
from loadtest.cluster.errors import ApiForbidden, ApiRefused, ApiUnreachable
from loadtest.cluster.follow import GONE_FOR_S, START_WITHIN_S, Outcome, follow
from loadtest.cluster.mirror import Mirror
from loadtest.cluster.record_server import PodStatus
from loadtest.cluster.remote_run import PodFate, RemoteRun

RUNNING, PENDING = PodFate(phase="Running"), PodFate(phase="Pending", because="unschedulable: no node")
READY = PodStatus(run_id="r", state="ready")
UNREACHABLE = ApiUnreachable("Nobody answers at 10.0.0.1:6443.", remedy="Wait.")
NO_PORT_FORWARD = ApiForbidden("This account may not create pods/portforward.", remedy="Ask for it.")
GONE = PodFate(phase="Gone", because="the master's pod is not there")
T = TypeVar("T")
LONG_S = 3 * START_WITHIN_S


@dataclass
class World:
    """A cluster as it may be from second to second. Time passes only when somebody sleeps."""

    pod: Callable[[float], PodFate | Exception]
    record_server: Callable[[float], PodStatus | Exception]
    interrupt_at_s: float = -1.0
    now_s: float = 0.0
    stops: list[tuple[float, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    # --- the clock

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        assert self.now_s < 10 * START_WITHIN_S, "it is followed for ever"
        if self.now_s <= self.interrupt_at_s < self.now_s + duration_s:
            signal.raise_signal(signal.SIGINT)
        self.now_s += duration_s

    # --- the run, its record client and its mirror

    def master(self) -> PodFate:
        return self._now(self.pod)

    def record(self) -> World:
        return self

    def status(self) -> PodStatus:
        return self._now(self.record_server)

    def stop(self, *, by: str) -> None:
        self._now(self.record_server)
        self.stops.append((self.now_s, by))

    def follow(self) -> None:
        """Nothing has grown."""

    def _now(self, told: Callable[[float], T | Exception]) -> T:
        answer = told(self.now_s)
        if isinstance(answer, Exception):
            raise answer
        return answer


def followed(world: World) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "time", world)
        run, mirror = cast(RemoteRun, world), cast(Mirror, world)
        return follow(run, mirror, show=lambda: None, say=world.said.append)


def until(end_s: float, before: Any, after: Any) -> Callable[[float], Any]:
    return lambda now_s: before if now_s < end_s else after


@pytest.mark.parametrize("trouble", [UNREACHABLE, NO_PORT_FORWARD])
def test_a_running_master_that_cannot_be_reached_is_waited_for_until_it_can(trouble: ApiRefused) -> None:
    world = World(pod=lambda _: RUNNING, record_server=until(LONG_S, trouble, READY))
    assert followed(world) == Outcome(status=READY)
    assert world.now_s == LONG_S


@pytest.mark.parametrize("trouble", [UNREACHABLE, NO_PORT_FORWARD])
def test_ctrl_c_at_a_running_master_that_cannot_be_reached_is_passed_on_when_it_can(trouble: ApiRefused) -> None:
    world = World(pod=lambda _: RUNNING, record_server=until(LONG_S, trouble, READY), interrupt_at_s=5.0)
    assert followed(world) == Outcome(status=READY, interrupted=True)
    ((stopped_s, by),) = world.stops
    assert stopped_s == LONG_S
    assert by.startswith("SIGINT of ")


def test_a_cluster_that_cannot_be_reached_at_all_is_waited_for_and_said_once() -> None:
    pod = until(LONG_S, UNREACHABLE, RUNNING)
    world = World(pod=pod, record_server=until(LONG_S, UNREACHABLE, READY))
    assert followed(world) == Outcome(status=READY)
    assert world.said == ["master's pod: Unknown: Nobody answers at 10.0.0.1:6443."]


def test_a_run_that_was_reached_and_is_out_of_reach_goes_on_and_says_so() -> None:
    running = PodStatus(run_id="r")

    def server(now_s: float) -> PodStatus | Exception:
        return running if now_s < 10 else until(LONG_S, UNREACHABLE, READY)(now_s)

    world = World(pod=lambda _: RUNNING, record_server=server)
    assert followed(world).status is READY
    assert world.said == ["connection lost, the run goes on: Nobody answers at 10.0.0.1:6443."]


def test_a_master_that_is_no_more_is_lost_with_its_reason() -> None:
    gone = PodFate(phase="Failed", because="Evicted")
    world = World(pod=until(20, RUNNING, gone), record_server=lambda _: UNREACHABLE)
    assert followed(world) == Outcome(status=None, lost="Failed: Evicted")


def test_a_master_that_is_not_listed_for_a_while_is_not_lost() -> None:
    pod = until(5.0, GONE, RUNNING)
    assert followed(World(pod=pod, record_server=until(5.0, UNREACHABLE, READY))) == Outcome(status=READY)


def test_a_master_that_stays_gone_is_lost() -> None:
    world = World(pod=until(20, RUNNING, GONE), record_server=lambda _: UNREACHABLE)
    assert followed(world) == Outcome(status=None, lost="Gone: the master's pod is not there")
    assert world.now_s == pytest.approx(20 + GONE_FOR_S, abs=2)


def test_a_master_that_stays_pending_is_given_up_with_its_reason() -> None:
    outcome = followed(World(pod=lambda _: PENDING, record_server=lambda _: UNREACHABLE))
    assert "did not start within 360 s (Pending: unschedulable: no node)" in outcome.lost


def test_ctrl_c_at_a_pending_master_gives_it_up_at_once() -> None:
    world = World(pod=lambda _: PENDING, record_server=lambda _: UNREACHABLE, interrupt_at_s=5.0)
    outcome = followed(world)
    assert outcome.interrupted
    assert outcome.lost.startswith("SIGINT before the master's pod had started")
    assert world.now_s < 10
