"""The ways a request can fail, and what each says of the platform: the one list in Python (engine/DELTA.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureKind:
    """What is known of every failure of a kind."""

    meaning: str
    is_unavailable: bool = False  # a client would call the platform unavailable
    is_nobody_there: bool = False  # nobody is there to answer
    may_not_arrive: bool = False  # it may never have reached the platform, or not as a whole request


EFFECT_REPEATED = "effect repeated"
KINDS: Mapping[str, FailureKind] = {
    "refused": FailureKind(
        meaning="nothing accepted the connection", is_unavailable=True, is_nobody_there=True, may_not_arrive=True
    ),
    "unreachable": FailureKind(
        meaning="the network knew no way to the platform",
        is_unavailable=True, is_nobody_there=True, may_not_arrive=True,
    ),
    "timeout connect": FailureKind(
        meaning="no connection within the time allowed",
        is_unavailable=True, is_nobody_there=True, may_not_arrive=True,
    ),
    "tls": FailureKind(
        meaning="the secure connection was refused, or broken off with an alert",
        is_unavailable=True, may_not_arrive=True,
    ),
    "reset": FailureKind(
        meaning="the connection was cut before a whole answer had come", is_unavailable=True, may_not_arrive=True
    ),
    "timeout wait": FailureKind(
        meaning="connected and sent, but no answer began in time", is_unavailable=True, may_not_arrive=True
    ),
    "timeout body": FailureKind(meaning="an answer began and did not end in time", is_unavailable=True),
    "malformed": FailureKind(meaning="what came back is not HTTP"),
    "too large": FailureKind(meaning="the answer was larger than golive accepts"),
    "redirect": FailureKind(meaning="the platform pointed elsewhere; golive never follows"),
    "check": FailureKind(meaning="answered with the right status, but not with what the workload expects"),
    "capture": FailureKind(
        meaning="answered as expected, but without what a later step of the flow needs and may carry"
    ),
    "effect missing": FailureKind(meaning="was accepted, and its effect was not to be seen in the time allowed"),
    EFFECT_REPEATED: FailureKind(meaning="was accepted once, and took effect more than once"),
    "local ports": FailureKind(meaning="golive's own machine had no port left", may_not_arrive=True),
    "file handles": FailureKind(meaning="golive's own machine had no file handle left", may_not_arrive=True),
}  # fmt: skip
STATUS = "status "  # and its number: an answer that the workload does not expect


def is_unavailable(kind: str) -> bool:
    """Whether a failure of this kind counts against availability."""
    return kind.startswith("status 5") or (kind in KINDS and KINDS[kind].is_unavailable)


def is_nobody_there(kind: str) -> bool:
    """Whether it means that nobody is there to answer."""
    return kind in KINDS and KINDS[kind].is_nobody_there


def may_not_arrive(kind: str) -> bool:
    """Whether it may never have reached the platform, or not as a whole request."""
    return kind in KINDS and KINDS[kind].may_not_arrive


def meaning_of(kind: str) -> str:
    """What it is, in plain words; empty for a kind that is not known."""
    if kind.startswith(STATUS):
        return f"answered with HTTP status {kind.removeprefix(STATUS)}, which the workload does not expect"
    return KINDS[kind].meaning if kind in KINDS else ""
