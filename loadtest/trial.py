"""One trial request of each kind before any load, sent by the engine itself: whether workload and target fit."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

from loadtest import _engine
from loadtest.run_orders import compiled_plan
from loadtest.target_remedies import remedy_for
from scenarios.engine_plan import for_run
from scenarios.errors import PlanError, PreflightFailed
from scenarios.files import read_secrets
from scenarios.plan import Plan
from scenarios.values import Captured, Template, values_in
from scenarios.workload import Workload

# What is captured under such a name, or sent in such a header, is shown nowhere.
SECRET_NAMES = re.compile(r"token|secret|password|passwd|session|csrf|xsrf|auth|jwt|cookie|api_?key", re.IGNORECASE)
SECRET_HEADERS = re.compile(r"auth|cookie|token|secret|key", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of one request."""

    request: str  # a step of a flow as FLOW/STEP
    failure: str  # "": answered as expected; else a kind of engine/DELTA.md, or what went wrong in words
    seen: str  # what was there instead, shortened
    status: int  # 0: no answer
    took_us: int
    attempts: int
    visible_us: int | None  # of a poll: from the answer before it to the one that showed the effect
    captured: tuple[tuple[str, str], ...]
    skipped: bool  # a step before it failed

    @classmethod
    def read(cls, told: dict[str, Any]) -> Tried:
        """One entry of the engine's list."""
        captured = tuple((str(name), str(value)) for name, value in told["captured"])
        return cls(**{**told, "captured": captured})


def try_plan(plan: Plan) -> tuple[Tried, ...]:
    """Send one request of each kind, flow by flow with its captures.

    Raises PreflightFailed when the target cannot be used: down, unknown, or its login refused.
    """
    # Values of its own: a second trial must not be answered from memory.
    fresh = for_run(plan, f"trial {time.time_ns()}")
    compiled = compiled_plan(fresh, run_date=time.strftime("%Y-%m-%d", time.gmtime()))
    try:
        engine = _engine.Engine(compiled, shard=0, shards=1)
        problem = engine.prepare()
        if problem:
            raise PreflightFailed(
                f"The target {plan.target.name} cannot be used: {problem}.",
                remedy=remedy_for(problem),
            )
        hidden = list(read_secrets(plan.workload).values())
        told = json.loads(engine.trial(hidden=hidden, veiled=secret_captures(plan.workload)))
    except ValueError as refusal:  # EngineError
        raise PlanError(f"The engine refuses this plan: {refusal}", remedy="Mend the workload or the plan.") from None
    return tuple(Tried.read(one) for one in told)


def secret_captures(workload: Workload) -> list[str]:
    """The captured values that nobody should read over a shoulder: by their name, or the header they are sent in."""
    found = {capture.name for request in workload.kinds for capture in request.captures}
    secret = {name for name in found if SECRET_NAMES.search(name)}
    for request in workload.kinds:
        headers: dict[str, Template] = {**workload.headers, **request.headers}
        for header, text in headers.items():
            if SECRET_HEADERS.search(header):
                secret |= {value.name for value in values_in(text) if isinstance(value, Captured)}
    return sorted(secret)
