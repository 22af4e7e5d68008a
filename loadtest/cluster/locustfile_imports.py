"""What a locustfile imports: one that goes elsewhere by itself must not need what lies beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from scenarios.errors import PlanError


def check_alone(locustfile: Path) -> None:
    """Raise PlanError for a locustfile that is no Python, or that imports from its own folder."""
    try:
        tree = ast.parse(locustfile.read_bytes(), filename=str(locustfile))
    except (OSError, SyntaxError, ValueError) as wrong:
        raise PlanError(f"{locustfile} cannot be read as Python: {wrong}.", remedy="Mend the locustfile.") from None
    beside = sorted({name for name in _imported(tree) if _lies_in(locustfile.parent, name)})
    if beside:
        raise PlanError(
            f"{locustfile} imports {', '.join(beside)} from beside it: only the file itself travels to a cluster.",
            remedy="Put what it needs into the one file, or into golive's image as a package.",
        )


def _imported(tree: ast.Module) -> Iterator[str]:
    """The first part of every module's name that is imported anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from [node.module.split(".")[0]] if node.module else (alias.name for alias in node.names)


def _lies_in(folder: Path, name: str) -> bool:
    return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
