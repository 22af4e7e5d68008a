"""What the master's pod sees of the cluster while a run goes on: a watcher, and the platform's fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.cluster.fingerprint import read_fingerprint
from analysis.cluster.watch import PlanOfWatching, watching
from analysis.kubernetes import Kubernetes
from loadtest.cluster.orders import PodOrders
from scenarios.plan import Plan


@contextmanager
def witness(plan: Plan, orders: PodOrders, folder: Path, own_namespace: str) -> Iterator[dict[str, Any]]:
    """Watch the target's namespace and our own pods as long as the run lasts; gives the fingerprint at its start."""
    reader = Kubernetes.in_cluster()
    wanted = PlanOfWatching(target_namespace=plan.target.namespace, own_namespace=own_namespace, run_id=orders.run_id)
    known_uid = str(orders.fingerprint.get("cluster_uid", ""))
    seen = read_fingerprint(reader, plan.target.namespace, cluster_uid=known_uid)
    with watching(reader, wanted, into=folder / "kubernetes"):
        yield seen
