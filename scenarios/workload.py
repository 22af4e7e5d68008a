"""What is sent: single requests and flows of several, with weights, values, checks and captures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from scenarios.answers import (
    BodyAtMost,
    BodyContains,
    BodyMatches,
    Capture,
    Check,
    HeaderContains,
    HeaderEquals,
    JsonEquals,
    JsonExists,
    JsonLength,
    StatusIn,
)
from scenarios.values import (
    Captured,
    Choice,
    Column,
    DateFromToday,
    EnvSecret,
    Feeder,
    Json,
    Link,
    Order,
    RandomInt,
    Sequence,
    Template,
    Text,
    Token,
    Uuid,
    Value,
    values_in,
)

__all__ = [
    "BodyAtMost",
    "BodyContains",
    "BodyMatches",
    "Capture",
    "Captured",
    "Check",
    "Choice",
    "Column",
    "DateFromToday",
    "EnvSecret",
    "Feeder",
    "Flow",
    "HeaderContains",
    "HeaderEquals",
    "Json",
    "JsonEquals",
    "JsonExists",
    "JsonLength",
    "Link",
    "Login",
    "Order",
    "Poll",
    "RandomInt",
    "Refresh",
    "Request",
    "Sequence",
    "StatusIn",
    "Step",
    "Template",
    "Text",
    "Token",
    "Uuid",
    "Value",
    "Workload",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One kind of request, its share of the traffic and what counts as an answer to it."""

    name: str
    method: str
    path: Template
    weight: float = 1.0  # its share among single requests and flows; a step of a flow has none of its own
    query: dict[str, Template] = field(default_factory=dict)
    headers: dict[str, Template] = field(default_factory=dict)
    json: Json = None  # the body, or none
    form: dict[str, Template] | None = None  # the body as a browser's form sends it, instead
    expect: tuple[int, ...] = (200,)
    checks: tuple[Check, ...] = ()
    captures: tuple[Capture, ...] = ()
    timeout_s: float = 10.0  # from the intended start
    writes: bool = False  # leaves something behind in the target


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """Ask again and again until the answer shows what an earlier step has set going; how long that took is measured.

    `once` must hold in the answer that shows it (that it took effect exactly once), and again `settle_s` later, if that
    is above 0: a second effect may come late.
    """

    until: tuple[Check, ...]
    every_s: float = 0.2
    give_up_s: float = 30.0  # from the answer before
    once: tuple[Check, ...] = ()
    settle_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a flow, due so long after the answer before it: `Step(PAY, think_s=(1, 3))`."""

    request: Request
    think_s: tuple[float, float] = (0.0, 0.0)  # drawn evenly, both included
    poll: Poll | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A user's journey: steps in order, each after the answer before it. One that fails ends it, and so does the load.

    Either `weight`: its share of the requests, all steps together, among the workload's other weights; or `rate_rps`:
    so many begin a second, beside the plan's rate, wherever that is above 0.
    """

    name: str
    steps: tuple[Step, ...]
    weight: float | None = None
    rate_rps: float | None = None
    cookies: bool = False  # each journey keeps the cookies it is given, and sends them

    @property
    def requests(self) -> tuple[Request, ...]:
        """Its steps as they are counted, under FLOW/STEP."""
        return tuple(replace(step.request, name=f"{self.name}/{step.request.name}", weight=0.0) for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """When tokens are renewed, off the load's way: by the lifetime that the login's answer tells, or by the clock."""

    before_s: float = 60.0  # so long before they expire
    expires_pointer: str | None = None  # JSON pointer to the lifetime in seconds, such as "/expires_in"
    every_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a worker gets bearer tokens before the load begins; not part of the rate."""

    method: str
    path: str
    token_pointer: str  # JSON pointer into the answer, such as "/access_token"
    json: Json = None  # the body,
    form: dict[str, Template] | None = None  # or as a form, as OAuth wants it
    headers: dict[str, Template] = field(default_factory=dict)
    tokens: int = 1  # how many separate logins; requests share them in turn
    expect: tuple[int, ...] = (200,)
    timeout_s: float = 10.0
    refresh: Refresh | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """Every value that it is written with."""
        texts: tuple[Json, ...] = (self.json, *(self.form or {}).values(), *self.headers.values())
        return tuple(value for text in texts for value in values_in(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A traffic mix: what is sent, in which proportions, with which headers on everything."""

    name: str
    requests: tuple[Request, ...] = ()
    flows: tuple[Flow, ...] = ()
    headers: dict[str, Template] = field(default_factory=dict)
    login: Login | None = None

    @property
    def kinds(self) -> tuple[Request, ...]:
        """Every kind of request, in the order in which all counts stand: single ones, then each flow's steps."""
        return tuple(self._kinds())

    def called(self, name: str) -> tuple[str, ...]:
        """The kinds of requests that a name stands for: one of them, or a flow with all its steps; () for none."""
        steps = tuple(step.name for flow in self.flows if flow.name == name for step in flow.requests)
        return tuple(request.name for request in self.kinds if request.name == name) or steps

    @property
    def followers(self) -> tuple[str, ...]:
        """The steps whose due instants only the answers before them decide: all but the first of each flow."""
        return tuple(step.name for flow in self.flows for step in flow.requests[1:])

    @property
    def polls(self) -> tuple[str, ...]:
        """The steps that ask again and again until an effect shows."""
        return tuple(
            request.name
            for flow in self.flows
            for request, step in zip(flow.requests, flow.steps, strict=True)
            if step.poll is not None
        )

    @property
    def longest_timeout_s(self) -> float:
        """How long the last answer may take."""
        return max(request.timeout_s for request in self.kinds)

    def values_of(self, request: Request) -> Iterator[Value]:
        """Every value that a request of this workload is written with, common headers included."""
        texts: list[Json] = [request.path, *request.query.values(), *request.headers.values(), *self.headers.values()]
        for text in [*texts, request.json, *(request.form or {}).values()]:
            yield from values_in(text)

    def _kinds(self) -> Iterator[Request]:
        yield from self.requests
        for flow in self.flows:
            yield from flow.requests
