"""Load somebody's locustfile as Locust will, in a process of its own, and write down what is in it. No load."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from pathlib import Path
from typing import Any

from locust import User, argument_parser, events
from locust.util.load_locustfile import load_locustfile


def seen_in(locustfile: str) -> dict[str, Any]:
    """Its users, or what it raised and where."""
    try:
        kinds, _ = load_locustfile(locustfile)
    except BaseException as raised:  # noqa: BLE001  (whatever a file does when it is loaded is told, its exit too)
        return {"raised": _told(raised, locustfile)}
    return {"users": [_user(kind) for kind in kinds.values()], "options": _refused_options(locustfile)}


def _user(kind: type[User]) -> dict[str, Any]:
    return {
        "name": kind.__name__,
        "host": str(kind.host or ""),
        "idle": not kind.tasks and not _gets_tasks_later(kind),
        "unrun": sorted({task.__name__ for task in _functions_of(kind) if _is_only_made(task)}),
    }


def _gets_tasks_later(kind: type[User]) -> bool:
    """Whether it may find tasks when it starts, or needs none: whoever does so is to be left alone."""
    own = [getattr(kind, name) for name in ("__init__", "on_start", "run")]
    listened = [event._handlers for event in (events.init, events.test_start)]
    return any(method.__module__.partition(".")[0] != "locust" for method in own) or any(listened)


def _functions_of(kind: type[User]) -> Iterator[Any]:
    """The functions among its tasks, and among those of the TaskSets in it."""
    waiting: list[Any] = list(kind.tasks)
    seen: set[Any] = set()
    while waiting:
        task = waiting.pop()
        if task in seen:  # TaskSets may hold each other
            continue
        seen.add(task)
        if isinstance(task, type):
            waiting += getattr(task, "tasks", ())
        else:
            yield task


def _is_only_made(task: Any) -> bool:
    """Whether a call of it runs none of its lines: Locust calls tasks and neither awaits nor iterates them."""
    return any(found(task) for found in (iscoroutinefunction, isgeneratorfunction, isasyncgenfunction))


def _told(raised: BaseException, locustfile: str) -> dict[str, Any]:
    """The innermost line of the user's own, not of what that called."""
    folder = str(Path(locustfile).parent)
    own = [frame for frame in traceback.extract_tb(raised.__traceback__) if frame.filename.startswith(folder)]
    where, line, text = (own[-1].filename, own[-1].lineno, own[-1].line) if own else (locustfile, None, "")
    said = str(raised)
    if isinstance(raised, SyntaxError):
        where, line, text, said = raised.filename or locustfile, raised.lineno, raised.text, raised.msg
    return {"kind": type(raised).__name__, "said": said, "file": where, "line": line, "text": (text or "").strip()}


def _refused_options(locustfile: str) -> str:
    """What Locust's command line says to options that the file adds: nobody gives a value to one without default."""
    told: list[str] = []
    parser = argument_parser.get_parser()
    parser.error = lambda message: told.append(message)  # type: ignore[method-assign]
    try:
        parser.parse_args(["-f", locustfile])
    except BaseException as raised:  # noqa: BLE001  (as above)
        return "; ".join(told) or f"{type(raised).__name__}: {raised}"
    return "; ".join(told)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(seen_in(sys.argv[1])), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # threads that the file has started need not be waited for
