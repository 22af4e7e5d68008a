"""The rehearsal's autoscaler: one look at the platform, one order to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from loadtest.rehearsal.autoscaler import controllers

CONFIG = {
    "services": [
        {"name": "core", "min": 2, "max": 10, "autoscaler": {"metric": "busy_ratio", "target": 0.5}},
        {"name": "fixed", "min": 1, "max": 1},
    ]
}


@dataclass
class FakeAdmin:
    """Remembers what it is told."""

    scaled: dict[str, int] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def scale(self, service: str, desired: int) -> None:
        self.scaled[service] = desired

    def tell_autoscaler(self, service: str, status: dict[str, Any]) -> None:
        self.told[service] = status


def state(busy: float, *, ready: int = 4, starting: int = 0) -> dict[str, Any]:
    core = {"name": "core", "desired": ready + starting, "ready": ready, "starting": starting, "busy_ratio_15s": busy}
    return {"services": [core, {"name": "fixed", "desired": 1, "ready": 1}]}


def looked_at(busy: float, **replicas: int) -> FakeAdmin:
    admin, seen = FakeAdmin(), state(busy, **replicas)
    (controller,) = controllers(CONFIG, seen)
    controller.look(seen["services"][0], admin, now_s=0.0)  # type: ignore[arg-type]
    return admin


def test_only_services_with_an_autoscaler_are_steered() -> None:
    assert [one.service for one in controllers(CONFIG, state(0.5))] == ["core"]


def test_a_busy_service_gets_more_replicas_and_says_why() -> None:
    admin = looked_at(0.8)
    assert admin.scaled == {"core": 7}
    assert admin.told["core"]["desired"] == 7
    assert {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange"} in admin.told["core"][
        "conditions"
    ]


def test_a_service_at_its_target_is_left_alone_but_told_of() -> None:
    admin = looked_at(0.5)
    assert admin.scaled == {}
    assert admin.told["core"]["current_metric"] == 0.5


def test_at_the_maximum_the_condition_says_too_many() -> None:
    admin = looked_at(3.0, ready=9)
    assert admin.scaled == {"core": 10}
    assert {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"} in admin.told["core"]["conditions"]
