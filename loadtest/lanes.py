"""The Locust file: golive's director and workers inside Locust's master and workers.

Locust is the control plane: processes, messages, web UI, CSV and HTML. Its users ("lanes") send nothing; they
mirror the plan's rate for its UI. The engine sends, following the plan by itself.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gevent
import gevent.event
import locust.runners
from locust import LoadTestShape, User, events
from locust.runners import MasterRunner, WorkerRunner
from locust.user.task import LOCUST_STATE_WAITING

from loadtest import _engine
from loadtest.director import TICK_S, Director
from loadtest.gevent_clock import GeventClock
from loadtest.legs import DUE_FILE, LegBook
from loadtest.locust_accounts import ClosedAccounts, LocustAccounts
from loadtest.metrics.of_run import page_of, tally_for
from loadtest.metrics.page import MetricsPage
from loadtest.metrics.server import serve
from loadtest.pod_identity import identity_of_this_pod
from loadtest.ports import BuildSender, Sender
from loadtest.processes import FOLDER_VARIABLE, LEAVE_SIGNAL, METRICS_VARIABLE, WORKERS_ARE_PODS_VARIABLE
from loadtest.record import RecordWriter, write_json
from loadtest.run_orders import Orders
from loadtest.ui_login import require_login
from loadtest.ui_swarm import keep_load
from loadtest.vitals import Vitals
from loadtest.worker import WorkerSide

LANE_RPS = 100.0  # each is a greenlet to start and to end, and says nothing that the rate does not
AT_ONCE = 1e6  # lanes a second; below the largest step Locust's start() blocks, at 3,000 lanes down for half a minute
TURN_AWAY_AFTER_S = 2.0
OWN_STOP = "Locust's own stop"
OWN_STOP_CLOSED = f"{OWN_STOP} (a shape that ended, a run-time in locust.conf, or workers that left)"
GIVE_WAY_EVERY_S = 0.05

# Without this, 64 s after a worker is lost the master starts a new dispatcher from zero and every lane ramps
# up again (locust 2.47, runners.py: HEARTBEAT_DEAD_INTERNAL, sic).
locust.runners.HEARTBEAT_DEAD_INTERNAL = -(10**9)
# The engine's threads are busy by design; Locust's warning is about Python's.
locust.runners.CPU_WARNING_THRESHOLD = 1000

# It warns at every tick of a spawn rate above 100 a second; lanes do no work when they start.
logging.getLogger("locust.runners").addFilter(lambda record: "spawn rate is very high" not in record.getMessage())

_log = logging.getLogger("golive")


def _nothing(_user: User) -> None:
    """A lane does no work of its own."""


class Lane(User):
    """Stands for LANE_RPS requests a second in Locust's tables and sends none."""

    tasks = [_nothing]  # noqa: RUF012  (Locust's own interface; an empty list makes it warn)

    def run(self) -> None:  # type: ignore[misc]  # Locust marks it final for type checkers only
        """Wait to be stopped."""
        self._state = LOCUST_STATE_WAITING  # so that stopping a lane takes no handshake
        gevent.event.Event().wait()


class _MasterWire:
    def __init__(self, runner: MasterRunner) -> None:
        self._runner = runner

    def send(self, to: str, kind: str, content: Mapping[str, Any]) -> None:
        self._runner.send_message(kind, dict(content), client_id=to)


class _WorkerWire:
    def __init__(self, runner: WorkerRunner) -> None:
        self._runner = runner

    def send(self, to: str, kind: str, content: Mapping[str, Any]) -> None:
        del to  # a worker has one master
        self._runner.send_message(kind, dict(content))


class _Run(NamedTuple):
    """The run of this master process."""

    orders: Orders
    director: Director


_run: _Run | None = None


class PlanShape(LoadTestShape):
    """Mirrors the plan's rate as lanes; ends Locust's test when the director has finished."""

    def tick(self) -> tuple[int, float] | None:
        """How many lanes there are now. Locust changes to that at once, up or down: the ramp is the plan's."""
        if _run is None:
            return (1, 1.0)
        if _run.director.finished:
            return None
        return (max(round(_run.director.rate_rps() / LANE_RPS), 1), AT_ONCE)


@events.init.add_listener  # type: ignore[untyped-decorator]
def on_init(environment: Any, runner: Any, **_: Any) -> None:
    """Take the part that this process has."""
    if isinstance(runner, WorkerRunner):
        become_worker(runner)
    elif isinstance(runner, MasterRunner):
        become_master(environment, runner)


# --- worker ------------------------------------------------------------------------------------


def _engine_of(plan: str, shard: int, shards: int) -> Sender:
    return _engine.Engine(plan, shard=shard, shards=shards)


def become_worker(runner: WorkerRunner, build: BuildSender = _engine_of) -> WorkerSide:
    """Never at import: a process forked after it would have a dead engine (trap: --processes)."""
    side = WorkerSide(
        wire=_WorkerWire(runner),
        clock=GeventClock(),
        build=build,
        off_hub=lambda call: str(gevent.get_hub().threadpool.apply(call)),
        vitals=Vitals.of_this_process(),
        identity=identity_of_this_pod(os.environ),
    )
    gevent.signal_handler(LEAVE_SIGNAL, lambda: side.leave(f"{signal.Signals(LEAVE_SIGNAL).name}: its pod must go"))
    for kind in ("golive_ping", "golive_arm", "golive_go", "golive_ack", "golive_halt", "golive_over"):
        runner.register_message(kind, _hears(side, kind), concurrent=kind == "golive_arm")
    gevent.spawn(_report_then_leave, side, runner)
    return side


def _hears(side: WorkerSide, kind: str) -> Callable[..., None]:
    def listener(environment: Any, msg: Any, **_: Any) -> None:
        del environment
        side.hear(kind, msg.data)

    return listener


def _report_then_leave(side: WorkerSide, runner: WorkerRunner) -> None:
    side.report_forever()
    if side.final_sent and side.outbox.is_empty and not side.leaving:
        return  # Locust's master ends its workers together
    if not side.leaving:
        _log.error("The master has been silent for too long; this worker ends.")
    runner.quit()


# --- master ------------------------------------------------------------------------------------


def become_master(environment: Any, runner: MasterRunner) -> None:
    """Lead the run that the environment names."""
    global _run
    orders = Orders.read(Path(os.environ[FOLDER_VARIABLE]))
    record = RecordWriter(orders.folder)
    closed = orders.plan.closed is not None
    due = [] if closed else _engine.due_counts(orders.engine_plan)
    searches = orders.plan.search is not None
    if not searches and not closed:
        write_json(orders.folder / DUE_FILE, {"format": 1, "seconds": due})
    tally = tally_for(orders)
    accounts = ClosedAccounts(runner, orders, tally) if closed else LocustAccounts(runner.stats, orders, tally)
    director = Director(
        plan=orders.plan,
        engine_plan=orders.engine_plan,
        due_per_second=[sum(second) for second in due],
        record=record,
        wire=_MasterWire(runner),
        clock=GeventClock(),
        accounts=accounts,
        stop_requested=orders.stop_requested,
        by_index=WORKERS_ARE_PODS_VARIABLE in os.environ,
        legs=LegBook(orders.folder, orders.engine_plan, _engine.due_counts) if searches else None,
    )
    _run = _Run(orders, director)
    page = page_of(orders, tally, planned_rps=director.rate_rps, refresh=accounts.settle)
    _serve_metrics(record, page)
    turns = _Turns()
    for kind in ("golive_pong", "golive_armed", "golive_delta"):
        runner.register_message(kind, _heard_by(director, kind, turns))
    listeners: dict[Any, Callable[..., None]] = {
        events.test_start: lambda **_: _begin(director, runner, accounts),
        events.test_stopping: lambda **_: _end(director, accounts, page),
        events.worker_connect: lambda client_id, **_: _turn_away(director, runner, client_id),
        events.quit: lambda **_: record.close(),
    }
    for event, listener in listeners.items():
        event.add_listener(listener)
    gevent.spawn(accounts.settle_forever)
    gevent.spawn(_leave_when_asked, director, record, gevent.getcurrent())
    # Locust installs its own handler only after a headless shape has ended (2.47, main.py): until then SIGTERM
    # would kill the master and lose the last counts.
    gevent.signal_handler(signal.SIGTERM, lambda: director.finish("SIGTERM"))
    # One failed request is a measurement, not a failure of the process; the verdict decides elsewhere.
    environment.process_exit_code = 0
    require_login(environment)
    keep_load(environment)


def _serve_metrics(record: RecordWriter, page: MetricsPage) -> None:
    """A metrics page that cannot be served is no reason to give up a run, but it is told."""
    address = os.environ.get(METRICS_VARIABLE, "")
    if not address:
        return
    try:
        serve(page.rendered, address)
    except OSError as taken:
        record.event("metrics_unserved", at_unix_s=time.time(), address=address, because=taken.strerror or str(taken))


def _leave_when_asked(director: Director, record: RecordWriter, main: gevent.Greenlet) -> None:
    """Until all workers are there nobody directs: Locust's main greenlet waits, and this one looks for a stop."""
    while not director.directs and not director.look_before_start():
        gevent.sleep(TICK_S)
    if director.finished:
        record.close()
        gevent.kill(main, SystemExit(0))


def _heard_by(director: Director, kind: str, turns: _Turns) -> Callable[..., None]:
    def listener(environment: Any, msg: Any, **_: Any) -> None:
        del environment
        director.hear(msg.node_id, kind, msg.data)
        turns.give_way()

    return listener


class _Turns:
    """Lets others have a turn while messages wait in a row.

    Locust's listener takes one after the other and never gives way while there is a next: with more than it can take
    nothing else would run, the director's look for a stop or an abort not either.
    """

    def __init__(self) -> None:
        self._since_s = time.monotonic()

    def give_way(self) -> None:
        if time.monotonic() - self._since_s > GIVE_WAY_EVERY_S:
            gevent.sleep(0.0005)  # 0 would not let the loop look at its timers and sockets
            self._since_s = time.monotonic()


def _begin(director: Director, runner: MasterRunner, accounts: LocustAccounts) -> None:
    workers = sorted(client.id for client in runner.clients.ready)
    gevent.spawn(director.direct, workers).link_exception(lambda failed: _give_up(director, failed))
    accounts.begun(director)


def _give_up(director: Director, failed: gevent.Greenlet) -> None:
    director.failed_because = f"golive's director failed: {failed.exception!r}"
    director.finished = True


def _end(director: Director, accounts: LocustAccounts, page: MetricsPage) -> None:
    """Locust is stopping, whoever asked it to: let the last counts arrive before it goes on.

    Its own quit waits half a second for its workers, and the tail of a run takes as long as the longest answer.
    """
    director.finish(OWN_STOP_CLOSED if director.plan.closed else OWN_STOP)
    while not director.finished:
        gevent.sleep(0.05)
    accounts.settle_all()
    finished_s = time.monotonic()
    while page.is_awaited(finished_s):  # so that Prometheus has the run's totals too
        gevent.sleep(0.05)


def _turn_away(director: Director, runner: MasterRunner, client_id: str) -> None:
    """A worker that comes when the load has been dealt has no shard: it is named and sent home.

    A pod is not sent home: the Job would take its end for the completion of its index, and end the pod that has it.
    """
    if not director.came(client_id):
        # Not at once: a worker that is told to quit while it is still starting forgets it (locust 2.47).
        gevent.spawn_later(TURN_AWAY_AFTER_S, runner.send_message, "quit", client_id=client_id)
