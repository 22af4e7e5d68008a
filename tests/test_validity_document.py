"""docs/validity.md tells of every finding what the code does, and names the tests that show it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from slo.validity import FindingKind, Thresholds
from slo.verdict import Outcome
from slo.voiding import EFFECTS

ROOT = Path(__file__).parents[1]
WORDS = {
    "throughput": "throughput", "latency": "latency", "error_ratio": "error rate", "journeys": "journeys",
    "availability": "availability",
    "backlog": "backlog", "scaling": "scaling", "steady": "steadiness", "recovery": "recovery",
}  # fmt: skip
DOCUMENT = (ROOT / "docs" / "validity.md").read_text(encoding="utf-8")
DEFAULTS = {field.name: getattr(Thresholds(), field.name) for field in fields(Thresholds)}


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of a section's table, by the first one."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("| `"): row for row in cells}


def takes(kind: FindingKind) -> str:
    groups: dict[str, list[str]] = {}
    for objective, words in WORDS.items():
        outcomes = EFFECTS[kind].get(objective, frozenset())
        taken = " and ".join(one.value.upper() for one in Outcome if one in outcomes)
        if taken:
            groups.setdefault(taken, []).append(words)
    told = (f"{taken} of {'all' if len(of) == len(WORDS) else ', '.join(of)}" for taken, of in sorted(groups.items()))
    return "; ".join(told) or "nothing: it is told"


@cache
def named_in(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


FINDINGS, THRESHOLDS, PROVOKED = rows("Findings"), rows("Thresholds"), rows("How each is provoked")


def test_every_finding_and_every_threshold_is_told_and_no_other() -> None:
    assert list(FINDINGS) == list(PROVOKED)
    assert FINDINGS.keys() == {kind.value for kind in FindingKind}
    assert THRESHOLDS.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("kind", FindingKind)
def test_what_a_finding_takes_away_is_what_the_judge_takes(kind: FindingKind) -> None:
    assert FINDINGS[kind.value][3] == takes(kind)


@pytest.mark.parametrize("kind", FindingKind)
def test_a_finding_names_thresholds_that_exist(kind: FindingKind) -> None:
    told = FINDINGS[kind.value][2]
    assert told == "any" or set(re.findall(r"`(\w+)`", told)) <= DEFAULTS.keys()


def test_every_threshold_belongs_to_a_finding_and_its_default_is_the_codes() -> None:
    named = {name for row in FINDINGS.values() for name in re.findall(r"`(\w+)`", row[2])}
    assert named == DEFAULTS.keys()
    assert {name: float(row[1]) for name, row in THRESHOLDS.items()} == DEFAULTS


@pytest.mark.parametrize("kind", FindingKind)
def test_a_finding_names_a_test_with_its_cause_and_one_without(kind: FindingKind) -> None:
    cells = PROVOKED[kind.value][2:]
    for cell in cells:
        for path, name in re.findall(r"`([\w/]+\.py)::(\w+)`", cell):
            assert name in named_in(ROOT / "tests" / path), f"{path} has no {name}"
        assert "::" in cell
