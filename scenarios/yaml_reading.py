"""YAML files into typed values, strictly: every mistake named with its file, its place, its value and its remedy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from scenarios.errors import PlanError

LARGEST_BYTES = 1_000_000
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_MEANT = re.compile(r"[-+]?(0|[1-9][\d_]*)?(\.[\d_]*)?([eE][-+]?\d+)?", re.ASCII)  # decimal and finite
Read = TypeVar("Read")


class _StrictLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys in silence, lets aliases multiply without end, and counts as YAML 1.1."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not taken here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, (str, int, float, bool)):
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is no name", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return dict(super().construct_mapping(node, deep=deep))

    def construct_scalar(self, node: Any) -> Any:
        if node.tag in _NUMBERS and not _MEANT.fullmatch(node.value):
            what = f"{node.value} is no number that can be meant here (as YAML reads it, 0450 is 296 and 1:30 is 90)"
            raise yaml.constructor.ConstructorError(None, None, what, node.start_mark)
        return super().construct_scalar(node)


def read_yaml(path: Path) -> Any:
    """The plain content of a YAML file."""
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise PlanError(f"{path}: {wrong.strerror or wrong}.", remedy="Check the name.") from wrong
    if len(raw) > LARGEST_BYTES:
        raise PlanError(
            f"{path}: {len(raw):,} bytes are too many for a file people write.", remedy="Name another file."
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise PlanError(f"{path}: not UTF-8 (byte {wrong.start}).", remedy="Save it as UTF-8.") from wrong
    return from_yaml(text, where=str(path))


def from_yaml(text: str, *, where: str) -> Any:
    """The plain content of a piece of YAML."""
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except (yaml.YAMLError, ValueError, RecursionError) as wrong:
        raise PlanError(f"{where}: {_on_one_line(wrong)}", remedy="Mend the YAML there.") from wrong


def _on_one_line(wrong: Exception) -> str:
    mark = getattr(wrong, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return where + str(getattr(wrong, "problem", None) or wrong).splitlines()[0]


def read_as(kind: type[Read], path: Path, *, like: str) -> Read:
    """A file's content as this type. `like`: a good file to compare with, for the remedy."""
    return validated(kind, read_yaml(path), where=str(path), like=like)


def validated(kind: type[Read], content: Any, *, where: str, like: str) -> Read:
    """Plain content as this type: unknown keys, wrong types and impossible values are all named at once."""
    try:
        # By way of JSON: there, strict takes a list for a tuple and a name for an enum, but no "3" for a 3.
        return TypeAdapter(kind).validate_json(json.dumps(content, allow_nan=False), strict=True, extra="forbid")
    except ValidationError as wrong:
        lines = [
            f"{where}: `{'.'.join(map(str, error['loc'])) or '(top)'}`: {error['msg']} (got {_short(error['input'])})"
            for error in wrong.errors(include_url=False)
        ]
        raise PlanError("\n".join(lines), remedy=f"Compare with {like}.") from None
    except (TypeError, ValueError) as wrong:  # a date, a set: YAML has more kinds of values than a plan
        raise PlanError(
            f"{where}: holds a value that is no text, number or list: {wrong}.", remedy="Quote it."
        ) from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
