"""Templates as the engine takes them: pieces of fixed text, encoded for where they stand, and values left open."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, assert_never
from urllib.parse import quote

from scenarios.errors import PlanError
from scenarios.values import (
    Captured,
    Choice,
    Column,
    DateFromToday,
    EnvSecret,
    Json,
    Link,
    RandomInt,
    Sequence,
    Template,
    Text,
    Token,
    Uuid,
    Value,
)

Piece = str | dict[str, Any]
# Characters that stand for themselves in a path (RFC 3986, 3.3), and those that already mean something there.
PATH_SAFE = "/:@!$&'()*+,;=-._~%?"


def path_text(path: Template, query: Mapping[str, Template]) -> list[Piece]:
    """A path and its query."""
    pieces: list[Piece] = [_encoded(piece, PATH_SAFE) for piece in _pieces(path)]
    for index, (name, value) in enumerate(query.items()):
        pieces.append(("&" if index else "?") + quote(name, safe="") + "=")
        pieces.extend(_encoded(piece, "") for piece in _pieces(value))
    return _joined(pieces)


def header_text(name: str, template: Template, secrets: Mapping[str, str]) -> list[Piece]:
    """A header's value. Raises PlanError for what would end it before its end."""
    pieces = [piece if isinstance(piece, str) else _value(piece) for piece in _told(template, secrets)]
    for text in (name, *(piece for piece in pieces if isinstance(piece, str))):
        if not text.isprintable():
            raise PlanError(
                f"The header {name!r} holds a control character.",
                remedy="A line break in a header would be a second request; take it out.",
            )
    return _joined(pieces)


def form_text(form: Mapping[str, Template], secrets: Mapping[str, str]) -> list[Piece]:
    """A body as a browser's form sends it: application/x-www-form-urlencoded."""
    pieces: list[Piece] = []
    for index, (name, value) in enumerate(form.items()):
        pieces.append(("&" if index else "") + quote(name, safe="") + "=")
        pieces.extend(_encoded(piece, "") for piece in _told(value, secrets))
    return _joined(pieces)


def json_text(tree: Json, secrets: Mapping[str, str]) -> list[Piece]:
    """A JSON tree as text. Numbers stay numbers; all other values are strings."""
    return _joined(_json(tree, secrets))


def _json(tree: Json, secrets: Mapping[str, str]) -> list[Piece]:
    match tree:
        case dict():
            return _between(
                "{", "}", [[json.dumps(str(key)) + ":", *_json(leaf, secrets)] for key, leaf in tree.items()]
            )
        case list() | tuple():
            return _between("[", "]", [_json(leaf, secrets) for leaf in tree])
        case RandomInt() | Sequence() | Captured(bare=True) | Column(bare=True):
            return [_value(tree)]
        case Text():
            inside = [_in_string(piece, secrets) for piece in tree.pieces]
            return ['"', *inside, '"']
        case None | bool() | int() | float() | str():
            return [json.dumps(tree)]
        case _:
            return ['"', _in_string(tree, secrets), '"']


def _in_string(piece: str | Value, secrets: Mapping[str, str]) -> Piece:
    if isinstance(piece, EnvSecret) and piece.variable in secrets:
        return json.dumps(secrets[piece.variable])[1:-1]
    return json.dumps(piece)[1:-1] if isinstance(piece, str) else _value(piece)


def _between(opening: str, closing: str, parts: list[list[Piece]]) -> list[Piece]:
    pieces: list[Piece] = [opening]
    for index, part in enumerate(parts):
        pieces.extend([",", *part] if index else part)
    return [*pieces, closing]


def _told(template: Template, secrets: Mapping[str, str]) -> list[str | Value]:
    """The pieces of a text with its secrets in their places."""
    return [
        secrets[piece.variable] if isinstance(piece, EnvSecret) and piece.variable in secrets else piece
        for piece in _pieces(template)
    ]


def _pieces(template: Template) -> tuple[str | Value, ...]:
    return template.pieces if isinstance(template, Text) else (template,)


def _encoded(piece: str | Value, safe: str) -> Piece:
    return quote(piece, safe=safe) if isinstance(piece, str) else _value(piece)


def _value(value: Value) -> dict[str, Any]:
    """A value under the name the engine knows it by."""
    if isinstance(value, EnvSecret):
        raise PlanError(
            f"The secret {value.variable} stands outside a login and a header.",
            remedy="A login or a header may hold a secret; paths and bodies end up in logs.",
        )
    kind = "csv_path" if isinstance(value, Column) and value.whole_path else value.kind
    return {kind: _drawn_from(value)}


def _drawn_from(value: RandomInt | Sequence | Choice | DateFromToday | Column | Uuid | Token | Captured | Link) -> Any:
    match value:
        case RandomInt():
            return [value.at_least, value.at_most]
        case Sequence():
            return value.start
        case Choice():
            return list(value.options)
        case DateFromToday():
            return [value.at_least_days, value.at_most_days]
        case Column():
            return [value.file, value.column]
        case Captured() | Link():
            return value.name
        case Uuid() | Token():
            return None
        case _:
            assert_never(value)


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbouring fixed texts made one."""
    joined: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece != "":
            joined.append(piece)
    return joined
