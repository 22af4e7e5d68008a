"""What a master makes of accepted deltas: Locust's own tables, and the tally of the metrics page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import gevent
from locust.runners import MasterRunner
from locust.stats import RequestStats, StatsEntry, StatsError

from loadtest.delta_times import TimesSum
from loadtest.director import Director
from loadtest.locust_tables import Row, Rows, forget_old_seconds
from loadtest.metrics.tally import Tally
from loadtest.run_orders import Orders

SETTLE_EVERY_S = 1.0


class LocustAccounts:
    """Counts each accepted delta for Locust's tables and for the metrics page; both get them at least once a second."""

    def __init__(self, stats: RequestStats, orders: Orders, tally: Tally) -> None:
        """Nothing is counted yet."""
        self._stats, self._orders, self._tally = stats, orders, tally
        self._rows, self._times = Rows(), TimesSum(tally.bounds)

    def begun(self, director: Director) -> None:
        """The director has taken the run up."""

    def accepted(self, *, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        """Count a delta that has been accepted."""
        self._times.add(body)
        self._rows.count(body)
        self._tally.accepted(worker, body, vitals)

    def happened(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take note of an event of the record."""
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
        """Hand over at least once a second."""
        while True:
            gevent.sleep(SETTLE_EVERY_S)
            self.settle()
            forget_old_seconds(self._stats)


class ClosedAccounts(LocustAccounts):
    """Locust's workers fill its tables themselves; and here it is Locust whose users must be ended."""

    def __init__(self, runner: MasterRunner, orders: Orders, tally: Tally) -> None:
        """Nothing is counted yet."""
        super().__init__(runner.stats, orders, tally)
        self._runner, self._requests = runner, 0

    def begun(self, director: Director) -> None:
        """Locust starts its users when this returns: at the go, or never."""
        gevent.spawn(self.leave_after, director)
        while not director.t0_unix_s or time.time() < director.t0_unix_s:
            gevent.sleep(0.01)

    def accepted(self, *, worker: int, body: Mapping[str, Any], vitals: Mapping[str, float]) -> None:
        """Count a delta, and how many requests it told of."""
        super().accepted(worker=worker, body=body, vitals=vitals)
        self._requests += sum(entry["sent"] for entry in body.get("counts", ()))

    def leave_after(self, director: Director) -> None:
        """The workers have ended their users by themselves; Locust's master is ended here."""
        while not director.finished:
            gevent.sleep(0.05)
        self.settle_all()
        self._runner.quit()
        if self._runner.environment.web_ui:  # Locust waits for that, not for its runner
            self._runner.environment.web_ui.stop()

    def settle_all(self) -> None:
        """Locust's own tables come by its own reports; then it takes a second to its CSV."""
        self.settle()
        until_s = time.monotonic() + 3.0
        while self._runner.stats.total.num_requests < self._requests and time.monotonic() < until_s:
            gevent.sleep(0.05)
        gevent.sleep(1.5)

    def settle(self) -> None:
        """Hand over the times; Locust's tables are not ours to fill."""
        self._tally.timed(self._times.take())


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
