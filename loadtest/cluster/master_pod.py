"""A master's pod: leads the run that its ConfigMap orders, judges it, and keeps the record until it is collected."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from loadtest.annotations import annotating
from loadtest.cluster.api import Api
from loadtest.cluster.errors import ApiRefused, ApiUnreachable
from loadtest.cluster.lease import KEPT_S, TargetLease
from loadtest.cluster.metrics_check import check_metrics
from loadtest.cluster.orders import MOUNTED, ORDERS, PLAN, PodOrders
from loadtest.cluster.record_server import RECORD_PORT, Desk, PodStatus, serve
from loadtest.cluster.witness import witness
from loadtest.conduct import Surroundings, conduct
from loadtest.level_bench import search_of
from loadtest.outlook import Outlook
from loadtest.processes import WorkersElsewhere
from loadtest.progress import Progress, Watcher
from loadtest.run_orders import request_stop
from loadtest.verdicts import conclude
from loadtest.versions import own_versions
from scenarios.errors import HarnessError, PreflightFailed
from scenarios.files import read_plan_json
from scenarios.plan import Plan
from scenarios.target import TargetClass

RESULTS = Path("/results")
LOCUST_PORT = 5557
NAMESPACE_VARIABLE = "GOLIVE_POD_NAMESPACE"
METRICS_PORT_VARIABLE = "GOLIVE_METRICS_PORT"  # set by the chart where somebody may scrape
RENEW_EVERY_S = KEPT_S / 4


def run_master(environment: Mapping[str, str], *, mounted: Path = MOUNTED, results: Path = RESULTS) -> int:
    """Lead one run to a judged record and keep it; returns 0 when it was collected or kept for its whole time."""
    orders = PodOrders.from_json((mounted / ORDERS).read_text(encoding="utf-8"))
    plan = read_plan_json(mounted / PLAN)
    folder = results / orders.run_id
    leaving = threading.Event()  # SIGTERM after the run: nothing is left to wait for

    def stop(by: str) -> None:
        if folder.is_dir():
            request_stop(folder, by=by)

    # A first process has no default handlers: without one SIGTERM would be ignored until the grace period is over.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    desk = Desk(folder=folder, on_stop=stop, status=PodStatus(run_id=orders.run_id))
    serve(desk, port=RECORD_PORT)
    _lead(plan, orders, desk, environment)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: leaving.set())
    _keep(desk, orders, leaving)
    return 0


def _lead(plan: Plan, orders: PodOrders, desk: Desk, environment: Mapping[str, str]) -> None:
    """Run, gather, judge. Whatever goes wrong is told by the desk; the pod stays to hand out what there is."""
    console = Console(soft_wrap=True)
    try:
        ended = _conduct(plan, orders, desk.folder, environment, console)
        verdict = conclude(desk.folder)
        desk.tell(state="ready", ended=ended)
        console.print(f"{orders.run_id}: {ended}, {verdict.outcome.value}", highlight=False)
    except HarnessError as wrong:
        desk.tell(state="failed", problem=wrong.problem, remedy=wrong.remedy)
        console.print(f"{orders.run_id}: {wrong}", highlight=False, markup=False)
    except (KeyboardInterrupt, OSError) as wrong:
        what = f"ended by a second signal: {wrong}" if isinstance(wrong, KeyboardInterrupt) else str(wrong)
        desk.tell(state="failed", problem=f"The master's pod could not finish: {what}.".replace(": .", "."),
                  remedy="What was recorded until then can be judged with `golive judge`.")  # fmt: skip
    except Exception as bug:  # noqa: BLE001  (a bug must not take the record with it: the pod stays, and says so)
        desk.tell(state="failed", problem=f"golive failed: {type(bug).__name__}: {bug}", remedy="See the pod's log.")
        sys.excepthook(type(bug), bug, bug.__traceback__)


def _conduct(plan: Plan, orders: PodOrders, folder: Path, environment: Mapping[str, str], console: Console) -> str:
    outlook = Outlook(plan.target)
    warnings = check_metrics(plan)
    progress = Progress(Watcher(folder, plan, outlook.replicas), console)
    search = search_of(plan, folder, outlook)
    with ExitStack() as held:
        seen = held.enter_context(witness(plan, orders, folder, environment.get(NAMESPACE_VARIABLE, "")))
        held.enter_context(_kept_lease(orders, console))
        around = Surroundings(
            folder=folder,
            rehearsal=plan.target.target_class is TargetClass.REHEARSAL,
            versions=own_versions(),
            settled=outlook.settled,
            search=search,
            show=progress,
            elsewhere=WorkersElsewhere(bind_host="*", port=LOCUST_PORT, connect_within_s=orders.connect_within_s),
            fingerprint={**orders.fingerprint, **seen},
            warnings=warnings,
            metrics=metrics_address(environment.get(METRICS_PORT_VARIABLE, "")),
        )
        annotator = annotating(folder, environment, lambda what: console.print(what, highlight=False, markup=False))
        if annotator:
            held.callback(annotator.close)
        ended = conduct(plan, around)
    outlook.gather(folder)
    return ended


def metrics_address(port: str) -> str:
    """Where the metrics are served: all addresses of the pod, of both families where there are two; "" for no port."""
    if not port:
        return ""
    return f"[::]:{port}" if socket.has_dualstack_ipv6() else f"0.0.0.0:{port}"


@contextmanager
def _kept_lease(orders: PodOrders, console: Console) -> Iterator[None]:
    """Hold the target's Lease as long as the run lasts, then give it back."""
    lease = TargetLease(
        api=Api.of_this_pod(), namespace=orders.lease_namespace, name=orders.lease_name, holder=orders.run_id
    )
    over = threading.Event()

    def keep() -> None:
        while not over.wait(RENEW_EVERY_S):
            try:
                lease.renew()
            except (ApiRefused, ApiUnreachable, PreflightFailed) as trouble:
                console.print(f"the target's Lease was not renewed: {trouble.problem}", highlight=False, markup=False)

    lease.renew()  # the launcher took it for us
    thread = threading.Thread(target=keep, daemon=True, name="lease")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        try:
            lease.release()
        except (ApiRefused, ApiUnreachable) as trouble:  # it lapses by itself within a minute
            console.print(f"the target's Lease was not released: {trouble.problem}", highlight=False, markup=False)


def _keep(desk: Desk, orders: PodOrders, leaving: threading.Event) -> None:
    """Serve the record until it is collected, its time is over, or the pod must go."""
    until_s = time.monotonic() + orders.keep_for_s
    desk.tell(keep_until_unix_s=time.time() + orders.keep_for_s)
    while time.monotonic() < until_s and not leaving.is_set():
        if desk.collected.wait(0.2):
            return
