"""Reads `spec.behavior` as an HPA's manifest has it, strictly: what people paste from their cluster works here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from analysis.autoscaling.behaviour import Behaviour, Policy, Rules, Select
from scenarios.errors import PlanError

RULE_KEYS = {"stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance"}
POLICY_KEYS = {"type", "value", "periodSeconds"}
LONGEST_WINDOW_S = 3600  # the API server's own bound
LONGEST_PERIOD_S = 1800  # the same
KINDS: dict[str, Literal["Pods", "Percent"]] = {"Pods": "Pods", "Percent": "Percent"}


def read_behaviour(spec: object, *, place: str) -> Behaviour:
    """What `spec.behavior` says; what it leaves out is Kubernetes' default.

    place: where it stands, for the message of the PlanError that anything unknown or impossible raises.
    """
    given = _mapping(spec, {"scaleUp", "scaleDown"}, place)
    default = Behaviour()
    return Behaviour(
        up=_rules(given.get("scaleUp"), default.up, f"{place}.scaleUp"),
        down=_rules(given.get("scaleDown"), default.down, f"{place}.scaleDown"),
    )


def _rules(spec: object, default: Rules, place: str) -> Rules:
    if spec is None:
        return default
    given = _mapping(spec, RULE_KEYS, place)
    window = given.get("stabilizationWindowSeconds", default.stabilization_s)
    tolerance = given.get("tolerance")
    return Rules(
        stabilization_s=_number(window, f"{place}.stabilizationWindowSeconds", most=LONGEST_WINDOW_S),
        policies=_policies(given["policies"], place) if "policies" in given else default.policies,
        select=_select(given.get("selectPolicy", default.select.value), f"{place}.selectPolicy"),
        tolerance_ratio=None if tolerance is None else _number(tolerance, f"{place}.tolerance", most=float("inf")),
    )


def _policies(spec: object, place: str) -> tuple[Policy, ...]:
    if not isinstance(spec, list) or not spec:
        raise _wrong(f"{place}.policies", spec, "Give at least one policy, or leave the key out for the default.")
    return tuple(_policy(entry, f"{place}.policies.{index}") for index, entry in enumerate(spec))


def _policy(spec: object, place: str) -> Policy:
    given = _mapping(spec, POLICY_KEYS, place)
    kind = KINDS.get(str(given.get("type")))
    value = given.get("value")
    if kind is None:
        raise _wrong(f"{place}.type", given.get("type"), "Write Pods or Percent.")
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise _wrong(f"{place}.value", value, "Write a whole number above 0.")
    period_s = _number(given.get("periodSeconds"), f"{place}.periodSeconds", most=LONGEST_PERIOD_S)
    if period_s == 0:
        raise _wrong(f"{place}.periodSeconds", 0, f"Write 1 to {LONGEST_PERIOD_S}.")
    return Policy(kind=kind, value=value, period_s=period_s)


def _select(given: object, place: str) -> Select:
    try:
        return Select(str(given))
    except ValueError:
        raise _wrong(place, given, f"Write one of {', '.join(Select)}.") from None


def _number(given: object, place: str, *, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= most:
        raise _wrong(place, given, f"Write a number from 0 to {most:g}.")
    return float(given)


def _mapping(spec: object, known: set[str], place: str) -> Mapping[str, Any]:
    if not isinstance(spec, Mapping):
        raise _wrong(place, spec, f"Write a mapping of {', '.join(sorted(known))}.")
    for key in spec:
        if key not in known:
            raise _wrong(f"{place}.{key}", spec[key], f"Only {', '.join(sorted(known))} are known here.")
    return spec


def _wrong(place: str, given: object, remedy: str) -> PlanError:
    return PlanError(f"`{place}`: cannot be {given!r}.", remedy=remedy)
