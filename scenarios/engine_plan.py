"""A plan compiled to what the engine reads (engine/PLAN.md): fixed text encoded, values left as pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import quote

from scenarios.answers import Capture, Check
from scenarios.engine_text import PATH_SAFE, Piece, form_text, header_text, json_text, path_text
from scenarios.plan import Plan
from scenarios.profile import Phase
from scenarios.transport import ClientIdentity, ConnectionPolicy, Tls
from scenarios.values import EnvSecret, Json, Order, Template, values_in
from scenarios.workload import Flow, Login, Poll, Refresh, Request, Workload

REDACTED = "(secret)"
CONTENT_TYPE = "Content-Type"
FORM = "application/x-www-form-urlencoded"  # by which the engine knows how to write values into the body


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A feeder's rows, read."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    order: Order = "random"


def engine_plan(
    plan: Plan,
    *,
    run_date: str,
    tables: Mapping[str, Table],
    secrets: Mapping[str, str],
    ca_pem: str = "",
    client: ClientIdentity | None = None,
) -> dict[str, Any]:
    """Compile a plan. `run_date`: the UTC date that date values count from; `secrets`: by environment variable."""
    sending = plan.sending
    workload = plan.workload
    return {
        "format": 1,
        "seed": sending.seed,
        "arrivals": sending.arrivals,
        "rate_line": rate_line(plan.profile.phases),
        "base_url": plan.target.url,
        "grid_us": sending.grid_us,
        "connections": sending.connections,
        "threads": sending.engine_threads,
        "addresses": sending.addresses,
        "connect_timeout_us": _us(sending.connect_timeout_s),
        "ca_pem": ca_pem,
        "tls": _tls(plan.tls, client or ClientIdentity()),
        "connection": _connection(sending.connection),
        "run_date": run_date,
        "tables": [_table(name, table) for name, table in tables.items()],
        "login": _login(workload.login, secrets) if workload.login else None,
        "requests": list(_requests(workload, secrets)),
        **({"trace": {"sampled_ratio": sending.trace_sampled_ratio}} if sending.traceparent else {}),
        **({"flows": list(_flows(workload))} if workload.flows else {}),
    }


def for_run(plan: Plan, run_id: str) -> Plan:
    """The plan with a seed of this run's own.

    With the plan's own seed a second run would repeat the first one's idempotency keys, and be answered from memory.
    The record keeps the compiled plan, so any run can still be repeated value for value.
    """
    return replace(plan, sending=replace(plan.sending, seed=own_seed(plan.sending.seed, run_id)))


def redacted_engine_plan(plan: Plan, *, run_date: str) -> dict[str, Any]:
    """The same for a file: without secrets and without the rows of the tables, which may hold people's data."""
    names = secret_names(plan.workload)
    client = ClientIdentity(key_pem=REDACTED) if plan.tls.client_certificate_file else None
    return engine_plan(plan, run_date=run_date, tables={}, secrets=dict.fromkeys(names, REDACTED), client=client)


def secret_names(workload: Workload) -> tuple[str, ...]:
    """The environment variables that a workload needs: its login's, and those of headers."""
    headers = [*workload.headers.values(), *(text for kind in workload.kinds for text in kind.headers.values())]
    found = [
        *(workload.login.values if workload.login else ()),
        *(value for text in headers for value in values_in(text)),
    ]
    return tuple(sorted({value.variable for value in found if isinstance(value, EnvSecret)}))


def secret_variables(plan: Plan) -> tuple[str, ...]:
    """The environment variables that hold the secrets of a plan: its workload's, and its client key's."""
    return (*secret_names(plan.workload), *filter(None, [plan.tls.client_key_env]))


def rate_line(phases: Iterable[Phase]) -> list[dict[str, Any]]:
    """Phases as the engine takes them."""
    return [_segment(phase) for phase in phases]


def _segment(phase: Phase) -> dict[str, Any]:
    beside = {} if phase.beside_share == 1 else {"beside_share": phase.beside_share}
    return {"duration_us": _us(phase.duration_s), "from_rps": phase.from_rps, "to_rps": phase.to_rps, **beside}


def own_seed(seed: int, whose: str) -> int:
    """A seed of somebody's own: of a run, or of one leg of it."""
    return int.from_bytes(hashlib.sha256(f"{seed} {whose}".encode()).digest()[:6], "big")


def _us(duration_s: float) -> int:
    return round(duration_s * 1e6)


def _table(name: str, table: Table) -> dict[str, Any]:
    order = {} if table.order == "random" else {"order": table.order}
    return {"name": name, "columns": list(table.columns), "rows": [list(row) for row in table.rows], **order}


def _tls(tls: Tls, client: ClientIdentity) -> dict[str, Any]:
    return {
        "minimum": tls.minimum,
        "maximum": tls.maximum,
        "server_name": tls.server_name,
        "insecure": tls.insecure,
        "resumption": tls.resumption,
        "client_certificate_pem": client.certificate_pem,
        "client_key_pem": client.key_pem,
    }


def _connection(policy: ConnectionPolicy) -> dict[str, Any]:
    return {
        "http": policy.http,
        "streams_per_connection": policy.streams_per_connection,
        "keep_alive": policy.keep_alive,
        "requests_per_connection": policy.requests_per_connection,
        "lifetime_us": None if policy.lifetime_s is None else _us(policy.lifetime_s),
    }


def _login(login: Login, secrets: Mapping[str, str]) -> dict[str, Any]:
    return {
        "method": login.method,
        "path": quote(login.path, safe=PATH_SAFE),
        "headers": _headers(login.headers, {}, form=login.form is not None, secrets=secrets),
        "body": _body(login.json, login.form, secrets) or [],
        "token_pointer": login.token_pointer,
        "tokens": login.tokens,
        "expect": list(login.expect),
        "timeout_us": _us(login.timeout_s),
        **({"refresh": _refresh(login.refresh)} if login.refresh else {}),
    }


def _refresh(refresh: Refresh) -> dict[str, Any]:
    return {
        "before_us": _us(refresh.before_s),
        "expires_pointer": refresh.expires_pointer,
        "every_us": None if refresh.every_s is None else _us(refresh.every_s),
    }


def _headers(
    own: Mapping[str, Template], common: Mapping[str, Template], *, form: bool, secrets: Mapping[str, str]
) -> list[list[str | list[Piece]]]:
    """A request's headers. Its own go before the common ones of the same name, in whatever case they are written."""
    ours: dict[str, Template] = {**own, **({CONTENT_TYPE: FORM} if form else {})}
    taken = {name.lower() for name in ours}
    inherited = {name: text for name, text in common.items() if name.lower() not in taken}
    return [[name, header_text(name, text, secrets)] for name, text in {**inherited, **ours}.items()]


def _body(json: Json, form: Mapping[str, Template] | None, secrets: Mapping[str, str]) -> list[Piece] | None:
    if form is not None:
        return form_text(form, secrets)
    return None if json is None else json_text(json, secrets)


def _requests(workload: Workload, secrets: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The flat list that all counts go by: single requests, then each flow's steps."""
    for request in workload.requests:
        yield _request(request, workload.headers, secrets)
    for flow in workload.flows:
        for request, step in zip(flow.requests, flow.steps, strict=True):
            poll = {"poll": _poll(step.poll)} if step.poll else {}
            yield {**_request(request, workload.headers, secrets), **poll}


def _request(request: Request, common: Mapping[str, Template], secrets: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": request.name,
        "weight": request.weight,
        "method": request.method,
        "path": path_text(request.path, request.query),
        "headers": _headers(request.headers, common, form=request.form is not None, secrets=secrets),
        "body": _body(request.json, request.form, {}),  # no secret in what a server may write into its log
        "expect": list(request.expect),
        "checks": [_check(check) for check in request.checks],
        "timeout_us": _us(request.timeout_s),
        **({"captures": [_capture(capture) for capture in request.captures]} if request.captures else {}),
    }


def _flows(workload: Workload) -> Iterator[dict[str, Any]]:
    place = len(workload.requests)
    for flow in workload.flows:
        yield _flow(flow, place)
        place += len(flow.steps)


def _flow(flow: Flow, first: int) -> dict[str, Any]:
    steps = [
        {"request": first + index, "think_us": [_us(step.think_s[0]), _us(step.think_s[1])]}
        for index, step in enumerate(flow.steps)
    ]
    return {
        "name": flow.name,
        "weight": flow.weight or 0.0,
        "rate_rps": flow.rate_rps,
        "cookies": flow.cookies,
        "steps": steps,
    }


def _poll(poll: Poll) -> dict[str, Any]:
    return {
        "until": [_check(check) for check in poll.until],
        "every_us": _us(poll.every_s),
        "give_up_us": _us(poll.give_up_s),
        "once": [_check(check) for check in poll.once],
        **({"settle_us": _us(poll.settle_s)} if poll.settle_s else {}),
    }


def _capture(capture: Capture) -> dict[str, Any]:
    return {"name": capture.name, "from": {capture.by: capture.at}}


def _check(check: Check) -> dict[str, Any]:
    """A check's kind is its name in the engine's plan, its fields in order are what stands there."""
    said = [getattr(check, one.name) for one in fields(check) if one.name != "kind"]
    return {check.kind: said[0] if len(said) == 1 else said}
