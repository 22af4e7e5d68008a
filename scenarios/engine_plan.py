"""A plan compiled to what the engine reads (engine/PLAN.md): fixed text encoded, values left as pieces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never
from urllib.parse import quote

from scenarios.errors import PlanError
from scenarios.plan import Plan
from scenarios.workload import (
    BodyAtMost,
    BodyContains,
    Check,
    Choice,
    CsvColumn,
    DateFromToday,
    EnvSecret,
    HeaderEquals,
    Json,
    Login,
    RandomInt,
    Request,
    Sequence,
    Template,
    Text,
    Token,
    Uuid,
    Value,
)

Piece = str | dict[str, Any]
REDACTED = "(secret)"
# Characters that stand for themselves in a path (RFC 3986, 3.3), and those that already mean something there.
PATH_SAFE = "/:@!$&'()*+,;=-._~%?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV file's rows, read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def engine_plan(
    plan: Plan, *, run_date: str, tables: Mapping[str, Table], secrets: Mapping[str, str], ca_pem: str = ""
) -> dict[str, Any]:
    """Compile a plan. `run_date`: the UTC date that date values count from; `secrets`: by environment variable."""
    sending = plan.sending
    workload = plan.workload
    return {
        "format": 1,
        "seed": sending.seed,
        "arrivals": sending.arrivals,
        "rate_line": [
            {"duration_us": round(phase.duration_s * 1e6), "from_rps": phase.from_rps, "to_rps": phase.to_rps}
            for phase in plan.profile.phases
        ],
        "base_url": plan.target.url,
        "grid_us": sending.grid_us,
        "connections": sending.connections,
        "threads": sending.engine_threads,
        "connect_timeout_us": round(sending.connect_timeout_s * 1e6),
        "ca_pem": ca_pem,
        "run_date": run_date,
        "tables": [
            {"name": name, "columns": list(table.columns), "rows": [list(row) for row in table.rows]}
            for name, table in tables.items()
        ],
        "login": _login(workload.login, secrets) if workload.login else None,
        "requests": [_request(request, workload.headers, secrets) for request in workload.requests],
    }


def for_run(plan: Plan, run_id: str) -> Plan:
    """The plan with a seed of this run's own.

    With the plan's own seed a second run would repeat the first one's idempotency keys, and be answered from memory.
    The record keeps the compiled plan, so any run can still be repeated value for value.
    """
    mixed = hashlib.sha256(f"{plan.sending.seed} {run_id}".encode()).digest()
    return replace(plan, sending=replace(plan.sending, seed=int.from_bytes(mixed[:6], "big")))


def redacted_engine_plan(plan: Plan, *, run_date: str) -> dict[str, Any]:
    """The same for a file: without secrets and without the rows of the tables, which may hold people's data."""
    names = secret_names(plan.workload.login)
    return engine_plan(plan, run_date=run_date, tables={}, secrets=dict.fromkeys(names, REDACTED))


def secret_names(login: Login | None) -> tuple[str, ...]:
    """The environment variables that a login needs."""
    return tuple(sorted(_secrets_in(login.json))) if login else ()


def _secrets_in(tree: Json) -> set[str]:
    match tree:
        case EnvSecret():
            return {tree.variable}
        case dict():
            return set().union(*map(_secrets_in, tree.values()))
        case list() | tuple():
            return set().union(*map(_secrets_in, tree))
        case Text():
            return {piece.variable for piece in tree.pieces if isinstance(piece, EnvSecret)}
        case _:
            return set()


def _login(login: Login, secrets: Mapping[str, str]) -> dict[str, Any]:
    return {
        "method": login.method,
        "path": quote(login.path, safe=PATH_SAFE),
        "headers": [["Content-Type", ["application/json"]]],
        "body": _joined(_json(login.json, secrets)),
        "token_pointer": login.token_pointer,
        "tokens": login.tokens,
        "expect": list(login.expect),
        "timeout_us": round(login.timeout_s * 1e6),
    }


def _request(request: Request, common: Mapping[str, Template], secrets: Mapping[str, str]) -> dict[str, Any]:
    headers = {**common, **request.headers}
    return {
        "name": request.name,
        "weight": request.weight,
        "method": request.method,
        "path": _joined(_path(request)),
        "headers": [[name, _joined(_raw(name, text))] for name, text in headers.items()],
        "body": None if request.json is None else _joined(_json(request.json, secrets)),
        "expect": list(request.expect),
        "checks": [_check(check) for check in request.checks],
        "timeout_us": round(request.timeout_s * 1e6),
    }


def _check(check: Check) -> dict[str, Any]:
    match check:
        case BodyContains():
            return {"body_contains": check.text}
        case BodyAtMost():
            return {"body_at_most": check.size_bytes}
        case HeaderEquals():
            return {"header_equals": [check.name, check.value]}
        case _:
            assert_never(check)


def _pieces(template: Template) -> tuple[str | Value, ...]:
    return template.pieces if isinstance(template, Text) else (template,)


def _path(request: Request) -> list[Piece]:
    pieces: list[Piece] = [_encoded(piece, PATH_SAFE) for piece in _pieces(request.path)]
    for index, (name, value) in enumerate(request.query.items()):
        pieces.append(("&" if index else "?") + quote(name, safe="") + "=")
        pieces.extend(_encoded(piece, "") for piece in _pieces(value))
    return pieces


def _encoded(piece: str | Value, safe: str) -> Piece:
    return quote(piece, safe=safe) if isinstance(piece, str) else _value(piece)


def _raw(name: str, template: Template) -> list[Piece]:
    pieces = [piece if isinstance(piece, str) else _value(piece) for piece in _pieces(template)]
    for text in (name, *(piece for piece in pieces if isinstance(piece, str))):
        if not text.isprintable():
            raise PlanError(
                f"The header {name!r} holds a control character.",
                remedy="A line break in a header would be a second request; take it out.",
            )
    return pieces


def _json(tree: Json, secrets: Mapping[str, str]) -> list[Piece]:
    """A JSON tree as text with the values left open. Numbers stay numbers; all other values are strings."""
    match tree:
        case dict():
            return _between(
                "{", "}", [[json.dumps(str(key)) + ":", *_json(leaf, secrets)] for key, leaf in tree.items()]
            )
        case list() | tuple():
            return _between("[", "]", [_json(leaf, secrets) for leaf in tree])
        case RandomInt() | Sequence():
            return [_value(tree)]
        case Text():
            inside = [_in_string(piece, secrets) for piece in tree.pieces]
            return ['"', *inside, '"']
        case None | bool() | int() | float() | str():
            return [json.dumps(tree)]
        case _:
            return ['"', _in_string(tree, secrets), '"']


def _in_string(piece: str | Value, secrets: Mapping[str, str]) -> Piece:
    if isinstance(piece, EnvSecret):
        return json.dumps(secrets[piece.variable])[1:-1]
    return json.dumps(piece)[1:-1] if isinstance(piece, str) else _value(piece)


def _between(opening: str, closing: str, parts: list[list[Piece]]) -> list[Piece]:
    pieces: list[Piece] = [opening]
    for index, part in enumerate(parts):
        pieces.extend([",", *part] if index else part)
    return [*pieces, closing]


def _value(value: Value) -> dict[str, Any]:
    """A value under the name the engine knows it by."""
    if isinstance(value, EnvSecret):
        raise PlanError(
            f"The secret {value.variable} stands outside a login.",
            remedy="Only a login's body may hold a secret; requests carry its token.",
        )
    return {value.kind: _drawn_from(value)}


def _drawn_from(value: RandomInt | Sequence | Choice | DateFromToday | CsvColumn | Uuid | Token) -> Any:
    match value:
        case RandomInt():
            return [value.at_least, value.at_most]
        case Sequence():
            return value.start
        case Choice():
            return list(value.options)
        case DateFromToday():
            return [value.at_least_days, value.at_most_days]
        case CsvColumn():
            return [value.file, value.column]
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
