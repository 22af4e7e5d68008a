"""The rehearsal's autoscaler: looks at the platform every sync period and steers its replicas by the pure HPA model."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.autoscaling.model import Autoscaler, Decision, Reading, State, step
from loadtest.rehearsal.admin import Admin
from scenarios.errors import StageFailed

SYNC_S = 15.0  # --horizontal-pod-autoscaler-sync-period
METRICS = {"busy_ratio": "busy_ratio_15s", "requests_per_second": "requests_per_second_15s"}


@dataclass(slots=True)
class Controller:
    """One HPA: its orders, its memory."""

    service: str
    metric: str
    autoscaler: Autoscaler
    state: State

    def look(self, seen: Mapping[str, Any], admin: Admin, *, now_s: float) -> None:
        """Decide by one service's state, and tell the platform."""
        starting = int(seen.get("starting", 0))
        reading = Reading(metric=seen.get(METRICS[self.metric]), ready=int(seen["ready"]), unready=starting)
        before = self.state.desired
        decision, self.state = step(self.autoscaler, self.state, reading, now_s=now_s)
        admin.tell_autoscaler(self.service, self._status(decision, reading))
        if decision.desired != before:
            admin.scale(self.service, decision.desired)

    def _status(self, decision: Decision, reading: Reading) -> dict[str, Any]:
        return {
            "desired": decision.desired,
            "current_metric": reading.metric,
            "target_metric": self.autoscaler.target,
            "conditions": [
                {"type": condition.kind, "status": str(condition.holds), "reason": condition.reason}
                for condition in decision.conditions
            ],
        }


def controllers(config: Mapping[str, Any], state: Mapping[str, Any]) -> list[Controller]:
    """The HPAs of a rehearsal's configuration, beginning with what the platform has now."""
    desired = {service["name"]: int(service["desired"]) for service in state["services"]}
    return [
        Controller(
            service=service["name"],
            metric=service["autoscaler"]["metric"],
            autoscaler=Autoscaler(
                min_replicas=service["min"], max_replicas=service["max"], target=service["autoscaler"]["target"]
            ),
            state=State(desired=desired[service["name"]]),
        )
        for service in config["services"]
        if service.get("autoscaler")
    ]


def run(admin: Admin, config: Mapping[str, Any], *, sync_s: float) -> None:
    """Look and steer until the process is ended. A platform that does not answer is looked at again."""
    steered = controllers(config, admin.state())
    while True:
        began_s = time.monotonic()
        try:
            seen = {service["name"]: service for service in admin.state()["services"]}
            for controller in steered:
                controller.look(seen[controller.service], admin, now_s=began_s)
        except StageFailed as failed:
            print(f"autoscaler: {failed}", file=sys.stderr, flush=True)  # noqa: T201  (its log)
        time.sleep(max(sync_s - (time.monotonic() - began_s), 0.0))


def main() -> None:
    """Read the arguments and run."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--admin", required=True)
    arguments.add_argument("--config", required=True, type=Path)
    arguments.add_argument("--sync-period-s", type=float, default=SYNC_S)
    given = arguments.parse_args()
    run(Admin(given.admin), json.loads(given.config.read_text(encoding="utf-8")), sync_s=given.sync_period_s)


if __name__ == "__main__":
    main()
