"""The rehearsal's autoscaler: looks at the platform every sync period and steers its replicas by the pure HPA model."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from analysis.autoscaling.behaviour import Behaviour
from analysis.autoscaling.manifest import read_behaviour
from analysis.autoscaling.model import Autoscaler, AutoscalerState, Decision, step
from analysis.autoscaling.recommendation import TOLERANCE_RATIO, Metric, Reading
from loadtest.rehearsal.admin import Admin
from scenarios.errors import PlanError, StageFailed

SYNC_S = 15.0  # --horizontal-pod-autoscaler-sync-period
SHOWN_AS = {"busy_ratio": "busy_ratio_15s", "requests_per_second": "requests_per_second_15s"}


class Platform(Protocol):
    """What an autoscaler needs of the platform; `Admin` has it."""

    def scale(self, service: str, desired: int) -> None:
        """Order replicas of a service."""
        ...

    def tell_autoscaler(self, service: str, status: Mapping[str, Any]) -> None:
        """Say what the autoscaler of a service sees and wants."""
        ...


@dataclass(slots=True)
class Controller:
    """One HPA: its orders, its memory, when it looks next."""

    service: str
    autoscaler: Autoscaler
    sync_s: float
    due_s: float = 0.0
    state: AutoscalerState = field(default_factory=AutoscalerState)

    def look(self, seen: Mapping[str, Any], platform: Platform, *, now_s: float) -> None:
        """Decide by one service's state, and tell the platform. Nothing is remembered of an order that failed."""
        (metric,) = self.autoscaler.metrics
        reading = Reading(
            replicas=int(seen["desired"]),  # what is ordered now, whoever ordered it
            ready=int(seen["ready"]),
            unready=int(seen["starting"]),
            means={metric.name: seen.get(SHOWN_AS[metric.name])},
        )
        decision, after = step(self.autoscaler, self.state, reading, now_s=now_s)
        if decision.desired != reading.replicas:
            platform.scale(self.service, decision.desired)
        self.state = after
        platform.tell_autoscaler(self.service, _status(decision, metric, reading))


def _status(decision: Decision, metric: Metric, reading: Reading) -> dict[str, Any]:
    return {
        "desired": decision.desired,
        "current_metric": reading.mean_of(metric),
        "target_metric": metric.target,
        "conditions": [
            {"type": condition.kind, "status": str(condition.holds), "reason": condition.reason}
            for condition in decision.conditions
        ],
    }


def controllers(config: Mapping[str, Any], *, sync_s: float) -> list[Controller]:
    """The HPAs of a rehearsal's configuration, which the platform has already accepted.

    sync_s: for those that give no `sync_period_s`. Raises PlanError for a `behaviour` that cannot be.
    """
    return [
        Controller(
            service=service["name"],
            autoscaler=_autoscaler(service, service["autoscaler"]),
            sync_s=_sync_s(service, sync_s),
        )
        for service in config["services"]
        if service.get("autoscaler")
    ]


def _sync_s(service: Mapping[str, Any], usual_s: float) -> float:
    given = service["autoscaler"].get("sync_period_s")
    if given is not None and given <= 0:
        raise PlanError(
            f"`services.{service['name']}.autoscaler.sync_period_s`: cannot be {given}.",
            remedy="Write seconds above 0; 15 is Kubernetes' own.",
        )
    return usual_s if given is None else float(given)


def _autoscaler(service: Mapping[str, Any], given: Mapping[str, Any]) -> Autoscaler:
    behaviour = given.get("behaviour", given.get("behavior"))
    place = f"services.{service['name']}.autoscaler.behaviour"
    tolerance = given.get("tolerance")
    # Busy slots over all slots are to a replica what CPU over its request is to a pod.
    metric = Metric(name=given["metric"], target=given["target"], is_utilisation=given["metric"] == "busy_ratio")
    return Autoscaler(
        min_replicas=service["min"],
        max_replicas=service["max"],
        metrics=(metric,),
        behaviour=Behaviour() if behaviour is None else read_behaviour(behaviour, place=place),
        tolerance_ratio=TOLERANCE_RATIO if tolerance is None else float(tolerance),
    )


def look_at(steered: list[Controller], admin: Admin, *, now_s: float) -> None:
    """Let every controller look whose time has come. A platform that does not answer is looked at again."""
    due = [controller for controller in steered if controller.due_s <= now_s]
    for controller in due:
        controller.due_s = now_s + controller.sync_s
    try:
        seen = {service["name"]: service for service in admin.state()["services"]}
        for controller in due:
            controller.look(seen[controller.service], admin, now_s=now_s)
    except StageFailed as failed:
        print(f"autoscaler: {failed}", file=sys.stderr, flush=True)  # noqa: T201  (its log)


def run(admin: Admin, config: Mapping[str, Any], *, sync_s: float) -> None:
    """Look and steer until the process is ended."""
    steered = controllers(config, sync_s=sync_s)
    while True:
        look_at(steered, admin, now_s=time.monotonic())
        next_s = min((controller.due_s for controller in steered), default=time.monotonic() + sync_s)
        time.sleep(max(next_s - time.monotonic(), 0.0))


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
