"""`spec.behavior` as people paste it from their cluster: what it leaves out is the default, nothing is ignored."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from analysis.autoscaling.behaviour import Behaviour, Policy, Rules, Select
from analysis.autoscaling.manifest import read_behaviour
from scenarios.errors import PlanError

DEFAULT = Behaviour()


def read(text: str) -> Behaviour:
    return read_behaviour(yaml.safe_load(text), place="behaviour")


def test_a_whole_behaviour_is_read() -> None:
    behaviour = read("""
        scaleDown:
          stabilizationWindowSeconds: 60
          selectPolicy: Min
          tolerance: 0.05
          policies: [{type: Percent, value: 10, periodSeconds: 60}, {type: Pods, value: 2, periodSeconds: 30}]
    """)
    percent, pods = Policy(kind="Percent", value=10, period_s=60), Policy(kind="Pods", value=2, period_s=30)
    assert behaviour.down == Rules(
        stabilization_s=60, policies=(percent, pods), select=Select.MIN, tolerance_ratio=0.05
    )
    assert behaviour.up == DEFAULT.up


@pytest.mark.parametrize("text", ["{}", "{scaleUp: {}, scaleDown: null}", "{scaleUp: {selectPolicy: Max}}"])
def test_what_is_left_out_is_the_default(text: str) -> None:
    assert read(text) == DEFAULT


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{scaleup: {}}", "behaviour.scaleup"),
        ("[]", "behaviour"),
        ("{scaleUp: {stabilizationWindow: 3}}", "behaviour.scaleUp.stabilizationWindow"),
        ("{scaleUp: {stabilizationWindowSeconds: 3601}}", "behaviour.scaleUp.stabilizationWindowSeconds"),
        ("{scaleUp: {stabilizationWindowSeconds: yes}}", "behaviour.scaleUp.stabilizationWindowSeconds"),
        ("{scaleUp: {selectPolicy: max}}", "behaviour.scaleUp.selectPolicy"),
        ("{scaleUp: {policies: []}}", "behaviour.scaleUp.policies"),
        ("{scaleUp: {policies: [{type: Pod, value: 1, periodSeconds: 1}]}}", "behaviour.scaleUp.policies.0.type"),
        ("{scaleUp: {policies: [{type: Pods, value: 0, periodSeconds: 1}]}}", "behaviour.scaleUp.policies.0.value"),
        ("{scaleUp: {policies: [{type: Pods, value: 1}]}}", "behaviour.scaleUp.policies.0.periodSeconds"),
        ("{scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 0}]}}", "policies.0.periodSeconds"),
        ("{scaleDown: {tolerance: -0.1}}", "behaviour.scaleDown.tolerance"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(PlanError) as refused:
        read(text)
    assert f"{place}`" in refused.value.problem
    assert refused.value.remedy


def test_nothing_but_a_number_is_a_number() -> None:
    spec: dict[str, Any] = {"scaleUp": {"stabilizationWindowSeconds": "60"}}
    with pytest.raises(PlanError):
        read_behaviour(spec, place="behaviour")
