"""The Locust file: golive's director and workers inside Locust's master and workers. The only importer of locust.

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
from locust.stats import RequestStats, StatsEntry, StatsError
from locust.user.task import LOCUST_STATE_WAITING

from loadtest import _engine
from loadtest.delta_times import TimesSum
from loadtest.director import TICK_S, Director
from loadtest.legs import DUE_FILE, LegBook
from loadtest.locust_tables import Row, Rows
from loadtest.metrics.of_run import page_of, tally_for
from loadtest.metrics.page import MetricsPage
from loadtest.metrics.server import serve
from loadtest.metrics.tally import Tally
from loadtest.pod_identity import identity_of_this_pod
from loadtest.ports import BuildSender, Sender
from loadtest.processes import FOLDER_VARIABLE, LEAVE_SIGNAL, METRICS_VARIABLE, WORKERS_ARE_PODS_VARIABLE
from loadtest.record import RecordWriter, write_json
from loadtest.run_orders import Orders
from loadtest.ui_login import require_login
from loadtest.vitals import Vitals
from loadtest.worker import WorkerSide

LANE_RPS = 100.0  # each costs its start and its end some 50 µs, and says nothing that the rate does not
AT_ONCE = 1e6  # lanes a second; below the largest step Locust's start() blocks, at 3,000 lanes down for half a minute
TURN_AWAY_AFTER_S = 2.0
SETTLE_EVERY_S = 1.0
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


class GeventClock:
    """The process's own time, waiting as gevent waits."""

    def unix_s(self) -> float:
        """The wall clock."""
        return time.time()

    def monotonic_s(self) -> float:
        """A clock that never jumps."""
        return time.monotonic()

    def sleep_s(self, duration_s: float) -> None:
        """Let others work for so long."""
        gevent.sleep(duration_s)


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


class _Accounts:
    """Counts each accepted delta for Locust's tables and for the metrics page; both get them at least once a second."""

    def __init__(self, stats: RequestStats, orders: Orders, tally: Tally) -> None:
        self._stats, self._orders, self._tally = stats, orders, tally
        self._rows, self._times = Rows(), TimesSum(tally.bounds)

    def accepted(self, *, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        self._times.add(body)
        self._rows.count(body)
        self._tally.accepted(worker, body, vitals)

    def happened(self, kind: str, fields: Mapping[str, Any]) -> None:
        self._tally.happened(kind, fields)

    def settle(self) -> None:
        """Hand over what was counted since the last call."""
        times = self._times.take()
        self._tally.timed(times)
        _inject(self._stats, self._rows.take(times), self._orders)

    def settle_all(self) -> None:
        """Hand over the last counts."""
        self.settle()

    def settle_forever(self) -> None:
        while True:
            gevent.sleep(SETTLE_EVERY_S)
            self.settle()


class _ClosedAccounts(_Accounts):
    """Locust's workers fill its tables themselves; and here it is Locust whose users must be ended."""

    def __init__(self, runner: MasterRunner, orders: Orders, tally: Tally) -> None:
        super().__init__(runner.stats, orders, tally)
        self._runner, self._requests = runner, 0

    def accepted(self, *, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        super().accepted(worker=worker, body=body, vitals=vitals)
        self._requests += sum(entry["sent"] for entry in body.get("counts", ()))

    def leave_after(self, director: Director) -> None:
        """The workers have ended their users by themselves; Locust's master is ended here."""
        while not director.finished:
            gevent.sleep(0.05)
        self.settle_all()
        self._runner.quit()

    def settle_all(self) -> None:
        """Locust's own tables come by its own reports; then it takes a second to its CSV."""
        self.settle()
        until_s = time.monotonic() + 3.0
        while self._runner.stats.total.num_requests < self._requests and time.monotonic() < until_s:
            gevent.sleep(0.05)
        gevent.sleep(1.5)

    def settle(self) -> None:
        self._tally.timed(self._times.take())


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


def become_worker(runner: WorkerRunner, build: BuildSender = _engine_of) -> None:
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
    accounts = _ClosedAccounts(runner, orders, tally) if closed else _Accounts(runner.stats, orders, tally)
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


def _begin(director: Director, runner: MasterRunner, accounts: _Accounts) -> None:
    workers = sorted(client.id for client in runner.clients.ready)
    gevent.spawn(director.direct, workers).link_exception(lambda failed: _give_up(director, failed))
    if isinstance(accounts, _ClosedAccounts):
        gevent.spawn(accounts.leave_after, director)
        _hold_back(director)


def _hold_back(director: Director) -> None:
    """Locust starts its users when this returns: at the go, or never."""
    while not director.t0_unix_s or time.time() < director.t0_unix_s:
        gevent.sleep(0.01)


def _give_up(director: Director, failed: gevent.Greenlet) -> None:
    director.failed_because = f"golive's director failed: {failed.exception!r}"
    director.finished = True


def _end(director: Director, accounts: _Accounts, page: MetricsPage) -> None:
    """Locust is stopping, whoever asked it to: let the last counts arrive before it goes on.

    Its own quit waits half a second for its workers, and the tail of a run takes as long as the longest answer.
    """
    director.finish("Locust's own stop")
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


def _inject(stats: RequestStats, rows: Mapping[str, Row], orders: Orders) -> None:
    """Add what deltas, each accepted exactly once, hold to the master's own tables."""
    for name, row in rows.items():
        method = orders.method_of(name)
        entry: Any = row.entry(name=name, method=method, start_unix_s=stats.start_time)
        stats.entries[name, method].extend(StatsEntry.unserialize(entry, stats))
        everything: Any = {**entry, "name": "Aggregated", "method": ""}
        stats.total.extend(StatsEntry.unserialize(everything, stats))
        for error, count in row.errors.items():
            _inject_error(stats, method, name, error, count)


def _inject_error(stats: RequestStats, method: str, name: str, error: str, count: int) -> None:
    key = StatsError.create_key(method, name, error)
    known = stats.errors.setdefault(key, StatsError(method, name, error))
    known.occurrences += count
    known.last_seen = time.time()
    known.first_seen = known.first_seen or known.last_seen
