"""Whether each piece that a request is written with is of a kind that can be written, told by its place. Pure.

Python holds nobody to a type, and who comes from Locust writes `query={"page": 1}`: that is said here, with the remedy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, get_args
from urllib.parse import unquote

from scenarios.values import Captured, Choice, Column, DateFromToday, Link, RandomInt, Sequence, Text, Value
from scenarios.workload import Login, Request, Workload

LONGEST_SHOWN = 60


def text_problems(workload: Workload) -> Iterator[str]:
    """Everything in its requests and its login that cannot be written, or would be written as nobody means it."""
    yield from _named(f"workload {workload.name!r}: header", workload.headers)
    for request in workload.requests:
        yield from _request(f"request {request.name!r}", request)
    for flow in workload.flows:
        for step in flow.steps:
            yield from _request(f"flow {flow.name!r}, step {step.request.name!r}", step.request)
    if workload.login:
        yield from _login(workload.login)


def _request(what: str, request: Request) -> Iterator[str]:
    yield from _path(what, request)
    yield from _named(f"{what}: query", request.query)
    yield from _named(f"{what}: header", request.headers)
    yield from _body(f"{what}: ", request)


def _login(login: Login) -> Iterator[str]:
    if not login.path.startswith("/"):
        yield f"the login's path {_shown(login.path)} does not begin with '/'"
    yield from _up("the login", login.path)
    yield from _named("the login's header", login.headers)
    yield from _body("the login's ", login)
    if login.json is None and login.form is None:
        yield "the login sends neither json nor form: whom it logs in is not said"


def _body(what: str, sent: Request | Login) -> Iterator[str]:
    yield from _json(f"{what}json", sent.json)
    if sent.form is None:
        return
    yield from _named(f"{what}form", sent.form)
    if sent.json is not None:
        yield f"{what}json and form are two bodies: send one of them"
    if any(name.lower() == "content-type" for name in sent.headers):
        yield f"{what}form says what it is by itself: take the header Content-Type out"


def _path(what: str, request: Request) -> Iterator[str]:
    """It stands behind the target's URL: what does not begin with a slash would become part of the host's name."""
    if _is_whole_path(request.path):
        if request.query:
            yield f"{what}: path {_shown(request.path)} is taken as it stands: it takes no query"
        return
    yield from _template(f"{what}: path", request.path)
    pieces = request.path.pieces if isinstance(request.path, Text) else (request.path,)
    first = pieces[0] if pieces else ""
    if isinstance(first, str) and "://" in first.partition("?")[0]:
        yield f"{what}: path {first!r} is a whole URL: write the path alone, targets.yaml says where to"
    elif not isinstance(first, str) or not first.startswith("/"):
        yield f"{what}: path {_shown(first)} does not begin with '/'{_whole_instead(first)}"
    yield from _up(what, "".join(piece if isinstance(piece, str) else "x" for piece in pieces))
    if request.query and any(isinstance(piece, str) and "?" in piece for piece in pieces):
        yield f"{what}: has a query in its path and another one in `query`: write it in one of them"


def _up(what: str, path: str) -> Iterator[str]:
    """What people reviewed is the target's URL and what lies below it."""
    if ".." in unquote(path.partition("?")[0]).split("/"):
        yield f"{what}: path {_shown(path)} leads out of the target's own by '..'"


def _whole_instead(first: Any) -> str:
    match first:
        case Captured(name=name):
            return f"; to go where it leads: path=Link({name!r})"
        case Column(column=column):
            return f"; if it holds whole paths: path=FEEDER.path({column!r})"
        case _:
            return ""


def _is_whole_path(piece: Any) -> bool:
    """Where an answer leads, or a column of paths: it has its slashes and its query already."""
    return isinstance(piece, Link) or (isinstance(piece, Column) and piece.whole_path)


def _named(what: str, templates: Mapping[Any, Any]) -> Iterator[str]:
    for name, template in templates.items():
        if not isinstance(name, str):
            yield f"{what} {_shown(name)}: its name is no text"
        yield from _template(f"{what} {name!r}", template)


def _template(what: str, template: Any) -> Iterator[str]:
    if not isinstance(template, Text):
        yield from _piece(what, template)
    elif isinstance(template.pieces, tuple | list):
        for piece in template.pieces:
            yield from _piece(what, piece)
    else:
        yield f"{what}: Text takes a tuple of pieces: Text(({_shown(template.pieces)},))"


def _piece(what: str, piece: Any) -> Iterator[str]:
    if _is_whole_path(piece):
        yield f"{what}: {_shown(piece)} can only be the whole path of a request"
    elif isinstance(piece, get_args(Value)):
        yield from _value(what, piece)
    elif not isinstance(piece, str):
        yield f"{what} is {_shown(piece)}, neither a text nor a value{_instead(piece)}"


def _instead(piece: Any) -> str:
    if isinstance(piece, type):
        return f": write {piece.__name__}()"
    return f": write {str(piece)!r}" if isinstance(piece, int | float) else ""


def _value(what: str, value: Value) -> Iterator[str]:
    match value:
        case Choice(options=options):
            if isinstance(options, str):
                yield f"{what}: Choice({options!r}) chooses among its letters; a tuple of one needs its comma"
            elif not isinstance(options, tuple | list) or not all(isinstance(option, str) for option in options):
                yield f"{what}: Choice takes a tuple of texts, not {_shown(options)}"
        case RandomInt(at_least=low, at_most=high) | DateFromToday(at_least_days=low, at_most_days=high):
            if not _is_whole(low) or not _is_whole(high) or low > high:
                yield f"{what}: {type(value).__name__} takes whole numbers, least and most, not {low!r} and {high!r}"
        case Sequence(start=start):
            if not _is_whole(start) or start < 0:
                yield f"{what}: Sequence starts at a whole number of 0 or more, not at {start!r}"
        case _:
            pass


def _json(what: str, tree: Any) -> Iterator[str]:
    match tree:
        case dict():
            for key, leaf in tree.items():
                if not isinstance(key, str | int):
                    yield f"{what}: a name in JSON is fixed text, not {_shown(key)}"
                yield from _json(f"{what}/{key}", leaf)
        case list() | tuple():
            for place, leaf in enumerate(tree):
                yield from _json(f"{what}/{place}", leaf)
        case float() if not math.isfinite(tree):
            yield f"{what} is {tree}, a number that JSON does not have"
        case None | bool() | int() | float():
            pass
        case _:
            yield from _template(what, tree)


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
