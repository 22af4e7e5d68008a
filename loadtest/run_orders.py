"""What the master process is told: its run's folder. All else is read from there, secrets from the environment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from scenarios.closed_plan import closed_orders
from scenarios.engine_plan import engine_plan, for_run
from scenarios.files import read_plan_json, read_secrets
from scenarios.files_tables import read_tables
from scenarios.files_tls import read_ca, read_client_identity
from scenarios.plan import Plan

STOP_FILE = "stop-request"


@dataclass(frozen=True, slots=True)
class Orders:
    """One run as its master sees it."""

    folder: Path
    plan: Plan
    engine_plan: str  # with secrets: for the wire, never for a file

    @classmethod
    def read(cls, folder: Path) -> Orders:
        """Read a run's folder as `conduct` laid it down."""
        plan = read_plan_json(folder / "plan.json")
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        compiled = compiled_plan(for_run(plan, folder.name), run_date=run["run_date"])
        return cls(folder=folder, plan=plan, engine_plan=compiled)

    def method_of(self, name: str) -> str:
        """The HTTP method of a request of the workload."""
        return next((request.method for request in self.plan.workload.kinds if request.name == name), "")

    def stop_requested(self) -> str:
        """Who asked for the load to end; empty while nobody did."""
        try:
            return (self.folder / STOP_FILE).read_text(encoding="utf-8").strip() or "someone"
        except FileNotFoundError:
            return ""


def compiled_plan(plan: Plan, *, run_date: str) -> str:
    """The engine plan as JSON, with what its files and the environment hold: tables, secrets, trusted certificates."""
    if plan.closed:
        return json.dumps(closed_orders(plan))
    return json.dumps(
        engine_plan(
            plan,
            run_date=run_date,
            tables=read_tables(plan.workload),
            secrets=read_secrets(plan.workload),
            ca_pem=read_ca(plan),
            client=read_client_identity(plan.tls),
        )
    )


def request_stop(folder: Path, *, by: str) -> None:
    """Ask a run to end its load; its master looks four times a second."""
    (folder / STOP_FILE).write_text(by + "\n", encoding="utf-8")
