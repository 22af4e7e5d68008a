"""A resolved plan as JSON and back, exactly: what `plan.json` of a record holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from scenarios import answers, plan, profile, search, target, transport, values, workload
from scenarios.errors import RecordUnreadable
from scenarios.plan import Plan
from slo import objective, validity

FORMAT = 1
TAG = "$"  # names the class of an object; a mapping's own key that begins with it is doubled


def _public_classes(*modules: Any) -> dict[str, type]:
    return {
        name: kind
        for module in modules
        for name, kind in vars(module).items()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    }


_RENAMED = {"CsvColumn": "Column"}  # in records of golive before flows
_CLASSES = _public_classes(plan, profile, search, target, transport, workload, values, answers, objective, validity)


def plan_to_json(asked: Plan) -> dict[str, Any]:
    """The whole plan with every value as it is used."""
    return {"format": FORMAT, "plan": _encoded(asked)}


def plan_from_json(content: Mapping[str, Any]) -> Plan:
    """The same plan again; raises RecordUnreadable for another format or an unknown piece."""
    if content.get("format") != FORMAT:
        raise RecordUnreadable(
            f"plan.json has format {content.get('format')!r}; this golive reads format {FORMAT}.",
            remedy="Judge it with the golive that wrote it, or a newer one.",
        )
    try:
        decoded = _decoded(content["plan"])
    except (KeyError, TypeError, ValueError) as wrong:
        raise RecordUnreadable(f"plan.json cannot be understood: {wrong}.", remedy="Was it edited?") from wrong
    if not isinstance(decoded, Plan):
        raise RecordUnreadable("plan.json holds no plan.", remedy="Is this the folder of a run?")
    return decoded


def _encoded(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {TAG: type(value).__name__, **{f.name: _encoded(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Enum):
        return {TAG: type(value).__name__, "value": value.value}
    if isinstance(value, dict):
        return {TAG + key if key.startswith(TAG) else key: _encoded(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": [_encoded(item) for item in value]}
    if isinstance(value, list):
        return [_encoded(item) for item in value]
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    name = value.get(TAG)
    inside = {key.removeprefix(TAG): _decoded(item) for key, item in value.items() if key != TAG}
    if name is None:
        return inside
    if name == "tuple":
        return tuple(inside["items"])
    kind = _CLASSES[_RENAMED.get(str(name), str(name))]
    return kind(inside["value"]) if issubclass(kind, Enum) else kind(**inside)
