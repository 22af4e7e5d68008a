"""What a master's pod is told, as it lies in its ConfigMap: the plan, the files the plan needs, and the run's frame."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from loadtest.cluster.locustfile_imports import check_alone
from scenarios.errors import PlanError, RecordUnreadable
from scenarios.files import plan_to_json
from scenarios.files_tables import with_files_moved
from scenarios.plan import Plan
from scenarios.transport import Tls

MOUNTED = Path("/etc/golive")
ORDERS, PLAN = "orders.json", "plan.json"
FORMAT = 1
NO_KEY = re.compile(r"[^-._a-zA-Z0-9]")  # what no key of a ConfigMap may have
ONE_VERSION = "The image and the golive that launched it must be of one version."
LARGEST_CONFIG_MAP_BYTES = 900_000  # Kubernetes takes 1 MiB with all keys and the object around them


@dataclass(frozen=True, slots=True, kw_only=True)
class PodOrders:
    """The frame of one run on a cluster."""

    run_id: str
    launched_by: str  # for people: user@host
    lease_namespace: str
    lease_name: str
    connect_within_s: float  # how long the master waits for its workers' pods
    keep_for_s: float  # how long it keeps the record for whoever collects it
    fingerprint: Mapping[str, Any]  # what the launcher knows of the cluster

    def to_json(self) -> str:
        """As the ConfigMap holds it."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> PodOrders:
        """Back again; raises RecordUnreadable for what another golive wrote."""
        try:
            content = json.loads(text)
            written_as = content.pop("format")
            orders = cls(**content)
        except (ValueError, KeyError, TypeError) as wrong:
            raise RecordUnreadable(f"{ORDERS} cannot be understood: {wrong}.", remedy=ONE_VERSION) from None
        if written_as != FORMAT:
            raise RecordUnreadable(f"{ORDERS} has format {written_as!r}, not {FORMAT}.", remedy=ONE_VERSION)
        return orders


@dataclass(frozen=True, slots=True)
class PortablePlan:
    """A plan whose files travel with it: every path leads into the pod's ConfigMap."""

    plan: Plan
    files: Mapping[str, str]  # the ConfigMap's key → the file's text

    @property
    def text(self) -> str:
        """The plan as JSON."""
        return json.dumps(plan_to_json(self.plan))


def portable(plan: Plan) -> PortablePlan:
    """Take the files a plan draws on (CSV tables, trusted certificates, a locustfile) with it.

    Raises PlanError when they are too large, or when a locustfile needs others that would be left behind.
    """
    files: dict[str, str] = {}

    def carried(path: str) -> str:
        text = _text(Path(path))
        key = hashlib.sha256(path.encode()).hexdigest()[:8] + "-" + NO_KEY.sub("_", Path(path).name)
        files[key] = text
        return str(MOUNTED / key)

    moved = with_files_moved(plan, carried)
    if plan.sending.trust_ca_file:
        moved = replace(moved, sending=replace(plan.sending, trust_ca_file=carried(plan.sending.trust_ca_file)))
    moved = _with_tls_moved(moved, plan.tls, carried)
    if plan.closed:
        check_alone(Path(plan.closed.locustfile))
        moved = replace(moved, closed=replace(plan.closed, locustfile=carried(plan.closed.locustfile)))
    size = len(json.dumps(plan_to_json(moved))) + sum(len(text.encode()) for text in files.values())
    if size > LARGEST_CONFIG_MAP_BYTES:
        raise PlanError(
            f"The plan and its files take {size:,} bytes; a ConfigMap holds {LARGEST_CONFIG_MAP_BYTES:,}.",
            remedy="Use smaller tables on the cluster (the values are drawn again and again).",
        )
    return PortablePlan(moved, files)


def _with_tls_moved(plan: Plan, tls: Tls, carried: Callable[[str], str]) -> Plan:
    """The certificate travels in the ConfigMap; a key never does."""
    if tls.client_key_file:
        raise PlanError(
            f"`tls.client_key_file`: {tls.client_key_file} does not travel to a cluster.",
            remedy="Put the key's PEM into an environment variable and name it as `client_key_env`.",
        )
    if not tls.client_certificate_file:
        return plan
    moved = replace(tls, client_certificate_file=carried(tls.client_certificate_file))
    if plan.target.tls:
        return replace(plan, target=replace(plan.target, tls=moved))
    return replace(plan, sending=replace(plan.sending, tls=moved))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as wrong:
        raise PlanError(f"{path}: {wrong}.", remedy="Name a file in UTF-8.") from wrong
