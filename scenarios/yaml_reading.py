"""YAML files into typed values, strictly: every mistake named with its file, its place, its value and its remedy."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from scenarios.errors import PlanError

LARGEST_BYTES = 1_000_000
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_MERGE, _DATE = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:timestamp"
_MEANT = re.compile(r"[-+]?(0|[1-9][\d_]*)?(\.[\d_]*)?([eE][-+]?\d+)?", re.ASCII)  # decimal and finite
Read = TypeVar("Read")


# pydantic's words are Python's and JSON's; whoever writes YAML is told in YAML's, by the kind of mistake. What it tells
# alternatives apart by is `kind` in all our files.
_IN_WORDS = {
    "dataclass_type": "should be a mapping (key: value)",
    "dict_type": "should be a mapping (key: value)",
    "missing": "is missing",
    "tuple_type": "should be a list",
    "string_type": "should be text",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "bool_type": "should be true or false",
    "union_tag_not_found": "has no `kind`",
    "union_tag_invalid": "its `kind` is none of {expected_tags}",
}


class _StrictLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys in silence, lets aliases multiply without end, and counts as YAML 1.1."""

    # 2026-11-25 is a name here, not a date: nothing that people write for golive takes one.
    yaml_implicit_resolvers = {  # noqa: RUF012  (PyYAML's own attribute)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _DATE]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not taken here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                what = "merge keys (<<) are not taken here"
                raise yaml.constructor.ConstructorError(None, None, what, key_node.start_mark)
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
        raise PlanError(
            f"{path}: {wrong.strerror or wrong}.", remedy="Check the name, and that you may read it."
        ) from wrong
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
    said = str(getattr(wrong, "problem", None) or wrong).splitlines()[0]
    return where + ("a tab where YAML takes spaces only" if r"'\t'" in said else said)


def read_as(kind: type[Read], path: Path, *, like: str) -> Read:
    """A file's content as this type. `like`: a good file to compare with, for the remedy."""
    return validated(kind, read_yaml(path), where=str(path), like=like)


def validated(kind: type[Read], content: Any, *, where: str, like: str) -> Read:
    """Plain content as this type: unknown keys, wrong types and impossible values are all named at once."""
    adapter = TypeAdapter(kind)
    try:
        # By way of JSON: there, strict takes a list for a tuple and a name for an enum, but no "3" for a 3.
        return adapter.validate_json(json.dumps(content, allow_nan=False), strict=True, extra="forbid")
    except ValidationError as wrong:
        lines = [f"{where}: {told}" for told in _told(wrong, frozenset(_keys(adapter.json_schema())))]
        raise PlanError("\n".join(lines), remedy=f"Compare with {like}.") from None
    except (TypeError, ValueError) as wrong:  # a set, bytes: YAML has more kinds of values than a plan
        raise PlanError(
            f"{where}: holds a value that is no text, number or list: {wrong}.", remedy="Quote it."
        ) from None


def _told(wrong: ValidationError, keys: frozenset[str]) -> Iterator[str]:
    """Each mistake by its place; a list is not called empty for the mistakes in its entries."""
    for error in wrong.errors(include_url=False):
        if error["type"] == "too_short" and error["input"]:
            continue
        place = ".".join(map(str, error["loc"])) or "(top)"
        yield f"`{place}`: {_what(error, keys)} (got {_short(error['input'])})"


def _what(error: Any, keys: frozenset[str]) -> str:
    kind, got = error["type"], error["input"]
    if kind == "unexpected_keyword_argument":
        meant = difflib.get_close_matches(str(error["loc"][-1]), sorted(keys), n=1)
        return f"there is no such key; did you mean `{meant[0]}`?" if meant else "there is no such key"
    words = _IN_WORDS.get(kind)
    said = words.format(**error.get("ctx", {})) if words else error["msg"].removeprefix("Input ")
    if kind == "string_type" and isinstance(got, int | float) and not isinstance(got, bool):
        return f"{said}; a duration has its unit, {got}s"
    if kind in {"float_type", "int_type"} and isinstance(got, str) and _counts(got):
        return f"{said}, and YAML takes this for text: no quotes, and 1000000 for 1e6"
    return said


def _counts(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _keys(schema: Any) -> Iterator[str]:
    """Every key that is known at some place of a schema."""
    for one in (schema, *schema.get("$defs", {}).values()):
        yield from one.get("properties", {})


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
