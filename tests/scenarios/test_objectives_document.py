"""docs/plans.md tells of every kind of objective, its keys and what they are when left out."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from slo.objective import Objective

DOCUMENT = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
TOLD = {
    kind: dict(re.findall(r"`(\w+)`(?: \(([^)]+)\))?", keys))
    for kind, keys in re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", DOCUMENT.split("## Objectives")[1], re.M)
}
KINDS = {next(field.default for field in fields(one) if field.name == "kind"): one for one in get_args(Objective)}


def default(field: Any) -> str:
    if field.default is MISSING:
        return ""
    if field.default == ():
        return "all"
    return f"{field.default:g}" if isinstance(field.default, int | float) else str(field.default)


def test_every_kind_is_told_and_no_other() -> None:
    assert TOLD.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_its_keys_and_defaults_are_those_of_the_code(kind: str) -> None:
    own = [field for field in fields(KINDS[kind]) if field.name not in ("kind", "name", "required")]
    assert TOLD[kind] == {field.name: default(field) for field in own}
