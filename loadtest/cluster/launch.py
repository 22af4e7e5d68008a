"""`golive run --on cluster`: check, install the chart, follow the run, collect its record, leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from rich.console import Console

from loadtest.cluster import preflight
from loadtest.cluster.api import Api
from loadtest.cluster.collect import Collected, see_to_its_end
from loadtest.cluster.egress import to_api_server, to_dns, to_url
from loadtest.cluster.follow import me
from loadtest.cluster.helm import Helm
from loadtest.cluster.lease import TargetLease, lease_name
from loadtest.cluster.leftovers import NotTakenAway, take_away
from loadtest.cluster.orders import PodOrders, portable
from loadtest.cluster.own_namespace import ensure_namespace
from loadtest.cluster.pod_sizes import sizes_of
from loadtest.cluster.remote_run import RemoteRun
from loadtest.cluster.values import Egress, Image, values_for
from loadtest.locustfile_check import check_locustfile
from scenarios.engine_plan import secret_variables
from scenarios.errors import HarnessError
from scenarios.files import read_secrets
from scenarios.files_tls import read_client_identity
from scenarios.plan import Plan

CONNECT_WITHIN_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where and with what a run is installed."""

    context: str = ""
    namespace: str
    image: str = ""
    values: tuple[Path, ...] = ()  # the user's own values files
    secret: str = ""  # a Secret of the namespace that holds the login's variables; "": made from the environment
    keep_for_s: float = 3600.0


def run_on_cluster(plan: Plan, where: Where, folder: Path, console: Console) -> Collected:
    """Run a plan on a cluster from the first check to a collected record.

    Raises HarnessError before anything is installed when the run cannot be; after that whatever was installed is taken
    away, unless the record could not be collected: then the pod keeps it, and `golive collect` gets it.
    """
    told = check_locustfile(plan.closed.locustfile, in_pods=True) if plan.closed else ""
    if told:
        console.print(told, highlight=False, markup=False)
    api = Api.of_context(where.context)
    helm = Helm(context=api.context, namespace=where.namespace)
    helm.check()
    lease_namespace = plan.target.namespace or where.namespace
    cluster = preflight.check_cluster(api, plan.target)
    preflight.check_rights(api, preflight.rights_needed(where.namespace, plan.target.namespace, lease_namespace))
    orders = PodOrders(
        run_id=folder.name, launched_by=me(), lease_namespace=lease_namespace, lease_name=lease_name(plan.target),
        connect_within_s=CONNECT_WITHIN_S, keep_for_s=where.keep_for_s, fingerprint=asdict(cluster),
    )  # fmt: skip
    run = RemoteRun(api=api, namespace=where.namespace, run_id=folder.name)
    with _installed(plan, orders, where, run, helm, console):
        console.print(f"installed: release {run.release} in {where.namespace} of {api.context}", highlight=False)
        return see_to_its_end(run, plan, folder, console)


@contextmanager
def _installed(
    plan: Plan, orders: PodOrders, where: Where, run: RemoteRun, helm: Helm, console: Console
) -> Iterator[None]:
    """Everything of this run on the cluster, taken away again at the end whatever happens before the pods are up."""
    api = run.api
    lease = TargetLease(api=api, namespace=orders.lease_namespace, name=orders.lease_name, holder=run.run_id)
    with ExitStack() as undo:
        ensure_namespace(api, where.namespace, say=lambda what: console.print(what, highlight=False))
        undo.push(_taken_away(run, helm, lease))
        lease.take()
        secret = where.secret or _made_secret(api, where.namespace, run, plan)
        values = _values(plan, orders, where, api, secret)
        objects = helm.render(
            run.release, values, more_values=where.values, kubernetes=str(orders.fingerprint["kubernetes"])
        )
        unknown = preflight.check_room(api, where.namespace, sizes_of(objects))
        if unknown:
            console.print(f"not checked: {unknown}", highlight=False)
        helm.install(run.release, values, more_values=where.values)
        undo.pop_all()
    yield


def _taken_away(
    run: RemoteRun, helm: Helm, lease: TargetLease
) -> Callable[[type[BaseException] | None, BaseException | None, TracebackType | None], None]:
    """Takes the run away when a step failed; what went wrong first is told first, whatever is left then."""

    def undo(_kind: type[BaseException] | None, wrong: BaseException | None, _where: TracebackType | None) -> None:
        try:
            take_away(run, helm, lease)
        except NotTakenAway as left:
            first = wrong.problem if isinstance(wrong, HarnessError) else str(wrong or "")
            raise NotTakenAway(f"{first}\n{left.problem}".strip(), remedy=left.remedy) from wrong

    return undo


def _values(plan: Plan, orders: PodOrders, where: Where, api: Api, secret: str) -> dict[str, object]:
    prometheus = plan.target.prometheus_url
    egress = Egress(
        target=to_url(api, plan.target.url),
        prometheus=to_url(api, prometheus) if prometheus else [],
        api_server=to_api_server(api),
        dns=to_dns(api),
    )
    return values_for(plan, portable(plan), orders, egress=egress, image=Image(reference=where.image), secret=secret)


def _made_secret(api: Api, namespace: str, run: RemoteRun, plan: Plan) -> str:
    """A Secret of this run with the login's variables and the client key; "" when none is needed."""
    if not secret_variables(plan):
        return ""
    name, key = f"{run.release}-login", plan.tls.client_key_env
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "golive", "golive/run": run.run_id}},
        "stringData": {**read_secrets(plan.workload), **({key: read_client_identity(plan.tls).key_pem} if key else {})},
    }
    api.create(f"/api/v1/namespaces/{namespace}/secrets", body)
    return name
