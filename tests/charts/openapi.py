"""Kubernetes' own description of its objects, turned strict: what it does not know is an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.charts.go_modules import ModuleFile
from tests.charts.helm import Manifest

Schema = dict[str, Any]

SPECIFICATION = "api/openapi-spec/swagger.json"
KUBERNETES = {
    "1.28": ModuleFile(
        module="k8s.io/kubernetes",
        version="v1.28.15",
        sum="h1:d91N2Znk+E8REIJZlrD6za2JtIwvEypa0DB1IoU4fJ0=",
        path=SPECIFICATION,
    ),
    "1.34": ModuleFile(
        module="k8s.io/kubernetes",
        version="v1.34.10",
        sum="h1:mB1KE7E2BonfpnGyim/+csCR5JMAoLsXt2xPXL5+DdY=",
        path=SPECIFICATION,
    ),
}
POD_MONITORS = ModuleFile(
    module="github.com/prometheus-operator/prometheus-operator",
    version="v0.70.0",  # of the time of Kubernetes 1.28
    sum="h1:kMufKWvqJl08Kh0oue3VLmTsowYKKqCQJa7tqXo+DJI=",
    path="example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
)
CUSTOM = {"monitoring.coreos.com/v1/PodMonitor": POD_MONITORS}


def faults(manifest: Manifest, kubernetes: str) -> list[str]:
    """What this Kubernetes' API does not know or does not accept in the object."""
    validator = _validator(f"{manifest['apiVersion']}/{manifest['kind']}", kubernetes)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(manifest)]


@cache
def _validator(kind: str, kubernetes: str) -> Draft202012Validator:
    if kind in CUSTOM:
        return Draft202012Validator(_custom(CUSTOM[kind]))
    definitions = _definitions(kubernetes)
    for name, definition in definitions.items():
        if kind in _kinds(definition):
            return Draft202012Validator({"definitions": definitions, "$ref": f"#/definitions/{name}"})
    raise LookupError(f"Kubernetes {kubernetes} has no {kind}")


@cache
def _definitions(kubernetes: str) -> Schema:
    definitions: Schema = json.loads(KUBERNETES[kubernetes].fetched().read_text())["definitions"]
    return {name: _strict(definition) for name, definition in definitions.items()}


def _kinds(definition: Schema) -> Iterator[str]:
    for known in definition.get("x-kubernetes-group-version-kind", []):
        group = f"{known['group']}/" if known["group"] else ""
        yield f"{group}{known['version']}/{known['kind']}"


def _custom(crd: ModuleFile) -> Schema:
    versions = yaml.safe_load(crd.fetched().read_text())["spec"]["versions"]
    return _strict(versions[0]["schema"]["openAPIV3Schema"], free={"metadata"})


def _strict(schema: Schema, free: frozenset[str] | set[str] = frozenset()) -> Schema:
    """The same with no property beside those it names, except below the free ones."""
    if schema.get("format") == "int-or-string":
        return {**schema, "type": ["integer", "string"]}
    tight = dict(schema)
    if "properties" in schema:
        tight["properties"] = {
            key: value if key in free else _strict(value) for key, value in schema["properties"].items()
        }
        tight.setdefault("additionalProperties", False)
    for place in ("items", "additionalProperties"):
        if isinstance(schema.get(place), dict):
            tight[place] = _strict(schema[place])
    return tight
