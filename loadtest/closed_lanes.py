"""The Locust file beside somebody's own: golive counts and ends that one's users, and defines none."""

from __future__ import annotations

import time
from typing import Any

import gevent
import locust.runners
from locust import events
from locust.runners import STATE_CLEANUP, MasterRunner, WorkerRunner

from loadtest import lanes
from loadtest.closed_event import as_counted, place_of
from loadtest.closed_sender import ClosedSender
from loadtest.gevent_clock import GeventClock
from loadtest.locustfile_check import ONE_TARGET, too_many_hosts

TIMER_S = 0.02
LOCUSTS_OWN_CPU_WARNING = 90

# Here Python does the sending, so Locust's warning is right again.
locust.runners.CPU_WARNING_THRESHOLD = LOCUSTS_OWN_CPU_WARNING
events.init.remove_listener(lanes.on_init)


class _LocustUsers:
    """The users of this worker."""

    def __init__(self, environment: Any, runner: WorkerRunner) -> None:
        self._runner, self._ending = runner, False
        self._hosts = [str(kind.host or "") for kind in environment.user_classes]

    def problem(self) -> str:
        problem = too_many_hosts(self._hosts)
        return f"the locustfile {problem}. {ONE_TARGET}" if problem else ""

    def running(self) -> int:
        return int(self._runner.user_count)

    def end(self) -> None:
        if not self._ending and self._runner.state != STATE_CLEANUP:  # a second stop beside one that is on raises
            self._ending = True
            gevent.spawn(self._end)

    def _end(self) -> None:
        try:
            self._runner.stop()
        finally:
            self._ending = False


@events.init.add_listener  # type: ignore[untyped-decorator]
def _on_init(environment: Any, runner: Any, **_: Any) -> None:
    if isinstance(runner, WorkerRunner):
        _become_worker(environment, runner)
    elif isinstance(runner, MasterRunner):
        lanes.become_master(environment, runner)


def _become_worker(environment: Any, runner: WorkerRunner) -> None:
    users = _LocustUsers(environment, runner)
    own = str(environment.parsed_options.locustfile).rpartition(",")[2]  # golive's file comes before it

    def build(plan: str, shard: int, shards: int) -> ClosedSender:
        del shard, shards  # Locust deals its users itself
        sender = ClosedSender(plan=plan, clock=GeventClock(), users=users)
        environment.events.request.add_listener(_counts_with(sender))
        environment.events.user_error.add_listener(_tells_raised_to(sender, own))
        environment.events.test_stopping.add_listener(lambda **_: sender.over())
        gevent.spawn(_watch_timers, sender)
        return sender

    # Locust's master takes no report of a worker that has said it stopped: the last one must go before that.
    environment.events.test_stop.add_listener(lambda **_: runner._send_stats())
    side = lanes.become_worker(runner, build)
    # A process that its own locustfile ends waits for nobody: what it has counted goes out before it.
    environment.events.quitting.add_listener(lambda **_: side.report())


def _counts_with(sender: ClosedSender) -> Any:
    return lambda **event: sender.ended(**as_counted(event))


def _tells_raised_to(sender: ClosedSender, locustfile: str) -> Any:
    def listener(*, exception: BaseException, tb: Any = None, **_: Any) -> None:
        sender.raised(what=place_of(exception, tb, locustfile), said=str(exception))

    return listener


def _watch_timers(sender: ClosedSender) -> None:
    """How late Python itself is: what shares its one thread with the users."""
    while sender.state() != "done":
        before_s = time.monotonic()
        gevent.sleep(TIMER_S)
        sender.timer_was_late(max(time.monotonic() - before_s - TIMER_S, 0.0))
