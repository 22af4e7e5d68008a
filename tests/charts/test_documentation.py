"""README.md, values.yaml and the schema tell one story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from loadtest.cluster.orders import PodOrders, portable
from loadtest.cluster.values import Egress, Image, values_for
from scenarios.files import load_plan
from scenarios.target import Target, TargetClass, WriteConsent
from tests.charts import documentation
from tests.charts.places import README, SCHEMA, VALUES

DESCRIBED = documentation.values(VALUES.read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load(VALUES.read_text())
LAW = json.loads(SCHEMA.read_text())
WITHOUT_DEFAULT = {("global",), *((role, "resources", "ephemeral-storage") for role in ("workers", "master"))}


def leaves(tree: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in tree.items():
        yield from leaves(value, (*above, key)) if isinstance(value, dict) and value else [(*above, key)]


def lawful(schema: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in schema["properties"].items():
        if "description" in value:
            yield (*above, key)
        else:
            yield from lawful(value, (*above, key))


def allowed(**values: object) -> bool:
    return bool(Draft7Validator(LAW).is_valid(values))


def test_the_page_is_up_to_date() -> None:
    old = README.read_text()
    assert documentation.readme(old, DESCRIBED) == old, "run `make chart`"


def test_the_schemas_texts_are_up_to_date() -> None:
    old = SCHEMA.read_text()
    assert documentation.schema(old, DESCRIBED) == old, "run `make chart`"


def test_every_value_is_described_or_part_of_one_that_is() -> None:
    described = {value.path for value in DESCRIBED}
    for leaf in leaves(DEFAULTS):
        assert any(leaf[:depth] in described for depth in range(1, len(leaf) + 1)), ".".join(leaf)


def test_the_schema_knows_exactly_the_values_that_are_described() -> None:
    assert set(lawful(LAW)) - WITHOUT_DEFAULT == {value.path for value in DESCRIBED}


def test_the_defaults_keep_the_schema() -> None:
    Draft7Validator.check_schema(LAW)
    Draft7Validator(LAW).validate(DEFAULTS)


@pytest.mark.parametrize(
    "values",
    [
        {"worker": {"count": 3}},
        {"workers": {"cuont": 3}},
        {"workers": {"count": 0}},
        {"workers": {"count": "3"}},
        {"workers": {"resources": {"requests": {"cpu": 1}, "limits": {"cpu": 1}}}},
        {"workers": {"resources": {"cpu": 1}}},
        {"workers": {"podLabels": {"app.kubernetes.io/component": "master"}}},
        {"commonLabels": {"golive/run": "another"}},
        {"run": {"id": "no label / value"}},
        {"run": {"files": {"plan.json": "{}"}}},
        {"run": {"files": {"a/b": ""}}},
        {"secretEnv": [{"name": "PASSWORD", "value": "in the clear"}]},
        {"networkPolicy": {"targetEgress": [{"too": []}]}},
        {"networkPolicy": {"targetEgress": [{"to": [{}]}]}},
        {"antiAffinity": {"mode": "sometimes"}},
        {"image": {"digest": "sha256:abc"}},
        {"podMonitor": {"interval": "5"}},
    ],
    ids=json.dumps,
)
def test_a_mistake_is_refused(values: dict[str, object]) -> None:
    assert not allowed(**values)


def test_what_people_may_want_is_allowed() -> None:
    assert allowed(
        workers={"count": 100, "resources": {"cpu": "1500m", "memory": "512Mi"}},
        run={"id": "20261125T010203Z-30k-ab12", "files": {"guests.csv": ""}},
        networkPolicy={"targetEgress": [{}], "dns": {"to": []}},
        podSecurityContext={"runAsUser": None},
    )


def test_what_the_launcher_writes_keeps_the_schema() -> None:
    target = Target(name="staging", url="http://api.shop:8080", target_class=TargetClass.STAGING, namespace="shop")
    plan = load_plan("smoke", target=replace(target, writes=WriteConsent(requests=("*",), at_most=10**6)))
    orders = PodOrders(
        run_id="20261125T010203Z-smoke-ab12", launched_by="sre", lease_namespace="shop", lease_name="golive-0f1e2d3c",
        connect_within_s=300.0, keep_for_s=3600.0, fingerprint={},
    )  # fmt: skip
    rules = [{"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"protocol": "TCP", "port": 443}]}]
    egress = Egress(target=rules, prometheus=rules, api_server=rules, dns=[{"podSelector": {}}])
    image = Image(reference=f"registry.example.com:5000/golive@sha256:{'a' * 64}")
    values = values_for(plan, portable(plan), orders, egress=egress, image=image, secret="login")
    Draft7Validator(LAW).validate(values)


def test_a_comment_describes_the_key_below_it_and_no_other() -> None:
    text = "# About the file.\n\na:\n  # One,\n  # in two lines.\n  b: 1\n  c: 2\n# Whole.\nd:\n  e: []\n"
    assert documentation.values(text) == [
        documentation.Value(path=("a", "b"), default=1, description="One, in two lines."),
        documentation.Value(path=("d",), default={"e": []}, description="Whole."),
    ]
