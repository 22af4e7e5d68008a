"""What the pods load, read from the sources: everything that is reached from the command and from Locust's file."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from scripts.image.paths import CHECKOUT, SOURCES

ENTRIES = ("loadtest.cluster.pod", "loadtest.lanes")


def packages_that_the_pods_import() -> set[str]:
    """The top names of others' modules, also where a function imports them."""
    return {name.split(".")[0] for name in _reached() if not _is_own(name)} - set(sys.stdlib_module_names)


def own_modules_of_the_pods() -> list[str]:
    """golive's own modules, by name."""
    return sorted(name for name in _reached() if _is_own(name) and _source(name))


@cache
def _reached() -> frozenset[str]:
    waiting, reached = list(ENTRIES), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            source = _source(name) if _is_own(name) else None
            waiting.extend(_imported_by(source) if source else ())
    return frozenset(reached)


def _is_own(name: str) -> bool:
    return name.split(".")[0] in SOURCES


def _source(name: str) -> Path | None:
    """A module's file; None for what is no module: a class, a function, the engine."""
    place = CHECKOUT.joinpath(*name.split("."))
    candidates = (place.with_suffix(".py"), place / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _imported_by(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
