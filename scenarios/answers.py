"""What an answer must show to be right, and what is taken out of it for later steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# --- checks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BodyContains:
    """The answer's body holds this text."""

    text: str
    kind: Literal["body_contains"] = "body_contains"


@dataclass(frozen=True, slots=True)
class BodyMatches:
    """Some part of the answer's body matches this regular expression (Rust's: no look-around, no back-references)."""

    pattern: str
    kind: Literal["body_regex"] = "body_regex"


@dataclass(frozen=True, slots=True)
class BodyAtMost:
    """The answer's body is no longer than this."""

    size_bytes: int
    kind: Literal["body_at_most"] = "body_at_most"


@dataclass(frozen=True, slots=True)
class JsonEquals:
    """The answer is JSON and holds exactly this at this JSON pointer: `JsonEquals("/status", "confirmed")`."""

    pointer: str
    value: bool | int | float | str | None
    kind: Literal["json_equals"] = "json_equals"


@dataclass(frozen=True, slots=True)
class JsonExists:
    """The answer is JSON and holds something at this JSON pointer, be it null."""

    pointer: str
    kind: Literal["json_exists"] = "json_exists"


@dataclass(frozen=True, slots=True)
class JsonLength:
    """The answer is JSON and holds a list (or an object) of so many entries at this JSON pointer."""

    pointer: str
    count: int
    kind: Literal["json_length"] = "json_length"


@dataclass(frozen=True, slots=True)
class HeaderEquals:
    """The answer carries this header with this value (name in any case)."""

    name: str
    value: str
    kind: Literal["header_equals"] = "header_equals"


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """The answer carries this header and this text in it (name in any case)."""

    name: str
    text: str
    kind: Literal["header_contains"] = "header_contains"


@dataclass(frozen=True, slots=True)
class StatusIn:
    """The answer has one of these statuses: for a poll's `until`; a request's own are its `expect`."""

    statuses: tuple[int, ...]
    kind: Literal["status"] = "status"


Check = (
    BodyContains
    | BodyMatches
    | BodyAtMost
    | JsonEquals
    | JsonExists
    | JsonLength
    | HeaderEquals
    | HeaderContains
    | StatusIn
)

# --- captures ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capture:
    """A piece of the answer under a name of its own; a step whose answer does not have it has failed."""

    name: str
    by: Literal["json", "header", "regex"]
    at: str

    @classmethod
    def json(cls, name: str, pointer: str) -> Capture:
        """The text, number or truth value at this JSON pointer: `Capture.json("id", "/reservation/id")`.

        A `*` draws an item of a list, the same for all captures of an answer: "/offers/*/id".
        """
        return cls(name, "json", pointer)

    @classmethod
    def header(cls, name: str, header: str) -> Capture:
        """A header's value (name in any case): `Capture.header("where", "Location")`."""
        return cls(name, "header", header)

    @classmethod
    def regex(cls, name: str, pattern: str) -> Capture:
        """The first match in the body, of it the first group: `Capture.regex("csrf", 'name="csrf" value="(.+?)"')`."""
        return cls(name, "regex", pattern)
