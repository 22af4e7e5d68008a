"""The rehearsal's autoscaler: one look at the platform, one order to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from loadtest.rehearsal.admin import Admin
from loadtest.rehearsal.autoscaler import Controller, controllers, look_at
from scenarios.errors import PlanError, StageFailed
from tests.loadtest.rehearsal.fake_platform import FakePlatform

BUSY = {"metric": "busy_ratio", "target": 0.5}


def config(**autoscaler: Any) -> dict[str, Any]:
    core = {"name": "core", "min": 2, "max": 10, "autoscaler": BUSY | autoscaler}
    return {"services": [core, {"name": "fixed", "min": 1, "max": 1}]}


@dataclass
class Orders:
    """Remembers what it is told; refuses to scale when `broken`."""

    scaled: dict[str, int] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: bool = False

    def scale(self, service: str, desired: int) -> None:
        if self.broken:
            raise StageFailed("no answer", remedy="wait")
        self.scaled[service] = desired

    def tell_autoscaler(self, service: str, status: Any) -> None:
        self.told[service] = dict(status)


def core(busy: float, *, ready: int = 4, starting: int = 0) -> dict[str, Any]:
    return {"name": "core", "desired": ready + starting, "ready": ready, "starting": starting, "busy_ratio_15s": busy}


def the_controller(**autoscaler: Any) -> Controller:
    (controller,) = controllers(config(**autoscaler), sync_s=15)
    return controller


def looked_at(busy: float, *, ready: int = 4, starting: int = 0, **autoscaler: Any) -> Orders:
    orders = Orders()
    the_controller(**autoscaler).look(core(busy, ready=ready, starting=starting), orders, now_s=0.0)
    return orders


def test_only_services_with_an_autoscaler_are_steered() -> None:
    assert [one.service for one in controllers(config(), sync_s=15)] == ["core"]


def test_a_busy_service_gets_more_replicas_and_says_why() -> None:
    orders = looked_at(0.8)
    assert orders.scaled == {"core": 7}
    assert orders.told["core"]["desired"] == 7
    assert {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange"} in orders.told["core"][
        "conditions"
    ]


def test_a_service_at_its_target_is_left_alone_but_told_of() -> None:
    orders = looked_at(0.5)
    assert orders.scaled == {}
    assert orders.told["core"]["current_metric"] == 0.5


def test_replicas_that_are_starting_are_not_ordered_twice() -> None:
    assert looked_at(1.0, ready=4, starting=4).scaled == {}


def test_at_the_maximum_the_condition_says_too_many() -> None:
    orders = looked_at(3.0, ready=9)
    assert orders.scaled == {"core": 10}
    assert {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"} in orders.told["core"][
        "conditions"
    ]


def test_without_a_ready_replica_there_is_no_metric() -> None:
    orders = looked_at(0.9, ready=0, starting=4)
    assert orders.scaled == {}
    assert orders.told["core"]["current_metric"] is None
    assert {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"} in orders.told["core"][
        "conditions"
    ]


def test_what_the_file_says_of_tolerance_and_behaviour_is_done() -> None:
    one = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    assert looked_at(0.8, tolerance=0.7).scaled == {}
    assert looked_at(0.8, behaviour=one).scaled == looked_at(0.8, behavior=one).scaled == {"core": 5}


@pytest.mark.parametrize(
    ("given", "place"),
    [({"behaviour": {"scaleup": {}}}, "services.core.autoscaler.behaviour.scaleup"), ({"sync_period_s": 0}, "sync_")],
)
def test_an_autoscaler_that_cannot_be_is_refused_with_its_place(given: dict[str, Any], place: str) -> None:
    with pytest.raises(PlanError, match=place):
        the_controller(**given)


def test_an_order_that_failed_is_given_again() -> None:
    controller, orders = the_controller(), Orders(broken=True)
    with pytest.raises(StageFailed):
        controller.look(core(0.8), orders, now_s=0.0)
    orders.broken = False
    controller.look(core(0.8), orders, now_s=1.0)
    assert orders.scaled == {"core": 7}


def test_each_autoscaler_looks_at_its_own_period() -> None:
    with FakePlatform({"services": [core(0.8)], "queues": []}) as platform:
        steered = controllers(config(sync_period_s=5), sync_s=15)
        for now_s in (0.0, 4.9, 5.0):
            look_at(steered, Admin(platform.address), now_s=now_s)
    assert [path for _, path in platform.asked].count("/services/core") == 2


@pytest.mark.parametrize("answer", ["refuse", "close", "garbage", "error", "no json"])
def test_a_platform_that_does_not_answer_is_looked_at_again(answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    steered = controllers(config(), sync_s=15)
    with FakePlatform({"services": [core(0.8)], "queues": []}) as platform:
        platform.trouble = answer
        look_at(steered, Admin(platform.address), now_s=0.0)
        assert "autoscaler: " in capsys.readouterr().err
        platform.trouble = ""
        look_at(steered, Admin(platform.address), now_s=15.0)
    assert platform.orders["core"] == {"desired": 7}


def test_a_platform_that_is_gone_is_looked_at_again(capsys: pytest.CaptureFixture[str]) -> None:
    look_at(controllers(config(), sync_s=15), Admin("127.0.0.1:1"), now_s=0.0)
    assert "does not answer" in capsys.readouterr().err
