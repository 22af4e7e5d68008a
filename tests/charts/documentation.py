"""The chart's values, told once in values.yaml and copied from there into README.md and the schema.

python -m tests.charts.documentation
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tests.charts.places import README, SCHEMA, VALUES

BEGIN = "<!-- values: written by `make chart` from values.yaml, change them there -->"
END = "<!-- end of values -->"
LONGEST_DEFAULT = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value that people may set, with the comment above it."""

    path: tuple[str, ...]
    default: object
    description: str

    @property
    def name(self) -> str:
        return ".".join(self.path)


def values(text: str) -> list[Value]:
    """All commented values of a values file, in its order."""
    lines = text.splitlines()
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(tree, yaml.MappingNode)
    return list(_walk(tree, (), lines))


def readme(old: str, described: list[Value]) -> str:
    """The same page with the table of these values."""
    head, rest = old.split(BEGIN)
    tail = rest.split(END)[1]
    rows = "".join(
        f"| `{value.name}` | {_shown(value.default)} | {_cell(value.description)} |\n" for value in described
    )
    return f"{head}{BEGIN}\n\n| value | default | what it does |\n|---|---|---|\n{rows}\n{END}{tail}"


def schema(old: str, described: list[Value]) -> str:
    """The same JSON schema with these values' descriptions."""
    tree = json.loads(old)
    for value in described:
        place = tree
        for key in value.path:
            place = place["properties"][key]
        place["description"] = value.description
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


def _walk(mapping: yaml.MappingNode, above: tuple[str, ...], lines: list[str]) -> Iterator[Value]:
    for key, node in mapping.value:
        path = (*above, str(key.value))
        description = _comment(key.start_mark.line, key.start_mark.column, lines)
        if description:
            yield Value(path=path, default=yaml.safe_load(yaml.serialize(node)), description=description)
        elif isinstance(node, yaml.MappingNode):
            yield from _walk(node, path, lines)


def _comment(line: int, column: int, lines: list[str]) -> str:
    """What stands in comments right above this line, at its own indentation."""
    said: list[str] = []
    while line > 0 and lines[line - 1].startswith(" " * column + "# "):
        line -= 1
        said.insert(0, lines[line].strip().removeprefix("# "))
    return " ".join(said)


def _shown(default: object) -> str:
    text = json.dumps(default, ensure_ascii=False)
    return f"`{text}`" if len(text) <= LONGEST_DEFAULT else "see values.yaml"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Write both files again."""
    described = values(VALUES.read_text())
    README.write_text(readme(README.read_text(), described))
    SCHEMA.write_text(schema(SCHEMA.read_text(), described))


if __name__ == "__main__":
    main()
