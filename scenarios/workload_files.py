"""Workloads by name, or by the path of a Python file: `path/to/file.py:NAME`."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil
import traceback
from pathlib import Path
from types import ModuleType

from scenarios import workloads
from scenarios.errors import PlanError
from scenarios.files_tables import with_files_moved
from scenarios.workload import Workload


def load_workload(asked: str, *, where: str = "") -> Workload:
    """A workload of scenarios/workloads by its name, or one of a file of the user's own.

    where: the place that names it, for whoever is told that there is none.
    """
    if ".py" in asked:
        path, _, name = asked.partition(":")
        return _of_file(Path(path), name, where)
    known = known_workloads()
    if asked in known:
        return known[asked]
    close = difflib.get_close_matches(asked, known, n=1)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    raise PlanError(
        f"{where}There is no workload {asked!r}.{meant}",
        remedy=f"Known: {', '.join(sorted(known))}; or path/to/file.py:NAME.",
    )


def known_workloads() -> dict[str, Workload]:
    """All workloads of scenarios/workloads, by name."""
    modules = [
        importlib.import_module(f"{workloads.__name__}.{m.name}") for m in pkgutil.iter_modules(workloads.__path__)
    ]
    return {found.name: found for module in modules for found in _in_module(module)}


def _in_module(module: ModuleType) -> list[Workload]:
    return [value for value in vars(module).values() if isinstance(value, Workload)]


def _with_feeders_beside(path: Path, workload: Workload) -> Workload:
    """The files it is fed from start in its own folder: a run reads them again, from folders of its own."""
    moved: Workload = with_files_moved(workload, lambda file: str((path.parent / file).resolve()))
    return moved


def _of_file(path: Path, name: str, where: str) -> Workload:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise PlanError(f"{where}There is no workload file {path}.", remedy="Write path/to/file.py:NAME.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as wrong:  # sys.exit in somebody's file must not become golive's own answer
        frame = traceback.extract_tb(wrong.__traceback__)[-1]
        raise PlanError(
            f"{path}: {type(wrong).__name__}: {wrong} ({Path(frame.filename).name}, line {frame.lineno})",
            remedy="Mend the file; `python FILE` shows the whole traceback.",
        ) from wrong
    found = {key: value for key, value in vars(module).items() if isinstance(value, Workload)}
    if not name and len(found) == 1:
        name = next(iter(found))
    if name in found:
        return _with_feeders_beside(path, found[name])
    raise PlanError(
        f"{path} has no workload {name!r} (it has: {', '.join(found) or 'none'}).", remedy="Write path/to/file.py:NAME."
    )
