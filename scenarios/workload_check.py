"""What is wrong with a workload, found before any load: names, captures, polls, shares, feeders, logins. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator

from scenarios.answers import Capture, Check, JsonEquals, JsonExists, JsonLength
from scenarios.text_check import text_problems
from scenarios.values import Captured, Column, Link
from scenarios.workload import Flow, Login, Poll, Request, Step, Workload

LONGEST_TIMEOUT_S = 60.0  # the end of the latency histogram
LONGEST_THINK_S = 3600.0
LONGEST_POLL_S = LONGEST_TIMEOUT_S  # the engine keeps how long was waited in such a histogram, too
SHORTEST_POLL_S = 0.001
FORBIDDEN_IN_NAMES = ("golive.", "!", ",")  # tags of the latency log (engine/DELTA.md)


def problems_of(workload: Workload) -> Iterator[str]:
    """Everything that is wrong with it, in words."""
    if not workload.kinds:
        yield f"workload {workload.name!r} has no request"
    elif not workload.requests and all(flow.rate_rps is not None for flow in workload.flows):
        yield (
            f"workload {workload.name!r}: all flows have rates of their own, beside the plan's, of which nothing would "
            "be sent: give at least one a weight (requests a second are weights, too)"
        )
    yield from _twice((request.name for request in workload.requests), f"two requests of {workload.name!r}")
    yield from _twice((flow.name for flow in workload.flows), f"two flows of {workload.name!r}")
    for request in workload.requests:
        yield from _request(f"request {request.name!r}", request)
        yield from _single(f"request {request.name!r}", request, workload)
    for flow in workload.flows:
        yield from _flow(flow, workload)
    yield from _taken_names(workload)
    yield from text_problems(workload)
    yield from _feeders(workload)
    if workload.login:
        yield from _login(workload.login)


def _twice(names: Iterable[str], whose: str) -> Iterator[str]:
    every = list(names)
    yield from (f"{whose} are called {name!r}" for name in sorted({name for name in every if every.count(name) > 1}))


def _taken_names(workload: Workload) -> Iterator[str]:
    """A single request must not be called as a flow's step is counted."""
    single = {request.name for request in workload.requests}
    for flow in workload.flows:
        for step in flow.requests:
            if step.name in single:
                yield f"request {step.name!r} is called like a step of flow {flow.name!r}"


def _name(what: str, name: str, *, more: str = "") -> Iterator[str]:
    forbidden = any(text in name for text in FORBIDDEN_IN_NAMES[1:] + tuple(more))
    if not name or not name.isprintable() or forbidden or name.startswith(FORBIDDEN_IN_NAMES[0]):
        also = f" or {more!r}" if more else ""
        yield f"{what}: its name must be printable, without a comma, '!'{also}, and not begin with 'golive.'"


# --- requests ----------------------------------------------------------------------------------


def _request(what: str, request: Request) -> Iterator[str]:
    yield from _name(what, request.name)
    if not 0 < request.timeout_s <= LONGEST_TIMEOUT_S:
        yield f"{what}: timeout_s {request.timeout_s} is not above 0 and at most {LONGEST_TIMEOUT_S:g}"
    if not request.expect or not all(200 <= status <= 599 for status in request.expect):
        yield f"{what}: expect {request.expect} needs statuses from 200 to 599"
    yield from _pointers(what, request.checks)
    yield from _twice((capture.name for capture in request.captures), f"{what}: two captures")
    for capture in request.captures:
        yield from _capture(what, capture)


def _capture(what: str, capture: Capture) -> Iterator[str]:
    if not capture.name.isidentifier():
        yield f"{what}: captures under the name {capture.name!r}; take letters, digits and _"
    if capture.by == "json":
        yield from _pointer(f"{what}: capture {capture.name!r}", capture.at)
    elif not capture.at:
        yield f"{what}: capture {capture.name!r} names no {capture.by}"


def _pointers(what: str, checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        if isinstance(check, JsonEquals | JsonExists | JsonLength):
            yield from _pointer(what, check.pointer)


def _pointer(what: str, pointer: str) -> Iterator[str]:
    if pointer and not pointer.startswith("/"):
        yield f"{what}: {pointer!r} is no JSON pointer; write {'/' + pointer.lstrip('$.').replace('.', '/')!r}"
    if re.search("~(?![01])", pointer):
        yield f"{what}: in the JSON pointer {pointer!r} a ~ of a name is written ~0 (and a / of it ~1)"


def _single(what: str, request: Request, workload: Workload) -> Iterator[str]:
    """A request outside flows: it has a share, and nothing before it or after it."""
    if not 0 < request.weight < 1e9:
        yield f"{what}: weight {request.weight} is not above 0"
    for name in _needed(request, workload):
        yield f"{what}: takes {name!r} from an earlier answer, but is no step of a flow: make it one"
    for capture in request.captures:
        yield f"{what}: captures {capture.name!r}, but is no step of a flow: nothing can use it"


def _needed(request: Request, workload: Workload) -> list[str]:
    """The captured names that it is written with, each once."""
    taken = (value.name for value in workload.values_of(request) if isinstance(value, Captured | Link))
    return list(dict.fromkeys(taken))


# --- flows -------------------------------------------------------------------------------------


def _flow(flow: Flow, workload: Workload) -> Iterator[str]:
    what = f"flow {flow.name!r}"
    yield from _name(what, flow.name, more="/")
    if not flow.steps:
        yield f"{what} has no step"
    yield from _share(what, flow)
    yield from _twice((step.request.name for step in flow.steps), f"{what}: two steps")
    for step in flow.steps:
        yield from _step(f"{what}, step {step.request.name!r}", step)
    yield from _captured(what, flow, workload)
    if flow.steps and flow.steps[0].poll:
        yield f"{what}: its first step polls: there is no answer yet from which to wait"
    if flow.steps and flow.steps[0].think_s != (0, 0):
        yield f"{what}: its first step thinks, but it is due when the journey begins: let the next one think"


def _share(what: str, flow: Flow) -> Iterator[str]:
    if (flow.weight is None) == (flow.rate_rps is None):
        said = "neither weight nor rate_rps" if flow.weight is None else "both weight and rate_rps"
        yield f"{what} has {said}: give it a share of the plan's rate, or a rate of its own beside it"
    for name, value in (("weight", flow.weight), ("rate_rps", flow.rate_rps)):
        if value is not None and not 0 < value < 1e9:
            yield f"{what}: {name} {value} is not above 0"


def _step(what: str, step: Step) -> Iterator[str]:
    yield from _request(what, step.request)
    if step.request.weight != 1:
        yield f"{what}: weight {step.request.weight} means nothing in a flow: give the flow its weight"
    least_s, most_s = step.think_s
    if not 0 <= least_s <= most_s <= LONGEST_THINK_S:
        yield f"{what}: think_s {step.think_s} is not least and most, from 0 to {LONGEST_THINK_S:g}"
    if step.poll:
        yield from _poll(what, step.poll)


def _poll(what: str, poll: Poll) -> Iterator[str]:
    if not poll.until:
        yield f"{what}: polls until nothing: name the check that shows the effect"
    if not SHORTEST_POLL_S <= poll.every_s <= poll.give_up_s <= LONGEST_POLL_S:
        yield (
            f"{what}: polls every {poll.every_s:g} s and gives up after {poll.give_up_s:g} s; "
            f"it takes {SHORTEST_POLL_S:g} s <= every_s <= give_up_s <= {LONGEST_POLL_S:g} s"
        )
    if not 0 <= poll.settle_s <= LONGEST_POLL_S:
        yield f"{what}: settle_s {poll.settle_s:g} is not from 0 to {LONGEST_POLL_S:g}"
    if poll.settle_s and not poll.once:
        yield f"{what}: settles for {poll.settle_s:g} s, but has no `once` to look at then"
    yield from _pointers(what, (*poll.until, *poll.once))


def _captured(what: str, flow: Flow, workload: Workload) -> Iterator[str]:
    """Each captured name is known before it is used, and used before it is lost."""
    unused: dict[str, str] = {}
    known: set[str] = set()
    for place, step in enumerate(flow.steps):
        here = step.request.name
        for name in _needed(step.request, workload):
            unused.pop(name, None)
            if name not in known:
                yield f"{what}, step {here!r}: {_never_captured(name, known, flow.steps[place:])}"
        for capture in step.request.captures:
            if capture.name in unused:
                yield _in_vain(what, unused[capture.name], capture.name, f"before {here!r} captures it again")
            unused[capture.name] = here
            known.add(capture.name)
    for name, where in unused.items():
        yield _in_vain(what, where, name, "by any later step")


def _never_captured(name: str, known: set[str], later: Iterable[Step]) -> str:
    late = [step.request.name for step in later if any(name == found.name for found in step.request.captures)]
    if late:
        return f"uses {name!r}, which is captured only then, by {late[0]!r}: change the order"
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    meant = f" Did you mean {close[0]!r}?" if close else ""
    return f"uses {name!r}, which no step before it captures.{meant}"


def _in_vain(what: str, step: str, name: str, when: str) -> str:
    return f"{what}, step {step!r}: captures {name!r}, which is not used {when}: use it, or check it with JsonExists"


# --- feeders, logins ---------------------------------------------------------------------------


def _feeders(workload: Workload) -> Iterator[str]:
    orders: dict[str, set[str]] = {}
    for request in workload.kinds:
        for value in workload.values_of(request):
            if isinstance(value, Column):
                orders.setdefault(value.file, set()).add(value.order)
    for file, asked in sorted(orders.items()):
        if len(asked) > 1:
            yield f"{file} is fed in two orders, {' and '.join(sorted(asked))}: name one Feeder and use it everywhere"


def _login(login: Login) -> Iterator[str]:
    yield from _pointer("the login's token_pointer", login.token_pointer)
    if any(isinstance(value, Captured | Link | Column) for value in login.values):
        yield "the login takes a captured value or a column: it comes before all answers, and draws on no file"
    refresh = login.refresh
    if refresh is None:
        return
    if (refresh.every_s is None) == (refresh.expires_pointer is None):
        yield "the login's refresh needs either every_s or expires_pointer, not both"
    if refresh.expires_pointer is not None:
        yield from _pointer("the login's expires_pointer", refresh.expires_pointer)
    if not 0 <= refresh.before_s <= 86_400:
        yield f"the login's refresh: before_s {refresh.before_s:g} is not from 0 to a day"
    if refresh.every_s is not None and refresh.every_s < 1:
        yield f"the login's refresh: every_s {refresh.every_s:g} is not at least 1"
