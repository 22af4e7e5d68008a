"""What is sent: requests made of fixed text and of values that change, with weights and checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# --- values: each is a fresh piece of text in every request -------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomInt:
    """A whole number drawn evenly from `at_least`..`at_most`, both included."""

    at_least: int
    at_most: int
    kind: Literal["random_int"] = "random_int"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A whole number that no other request of the run carries, over all workers."""

    start: int = 0
    kind: Literal["sequence"] = "sequence"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several texts, drawn evenly."""

    options: tuple[str, ...]
    kind: Literal["choice"] = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateFromToday:
    """An ISO date (YYYY-MM-DD, UTC) so many days after the run's start, drawn evenly, both included."""

    at_least_days: int
    at_most_days: int
    kind: Literal["date"] = "date"


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """A column of a CSV file with a header row. Columns of one file in one request come from one row."""

    file: str
    column: str
    kind: Literal["csv"] = "csv"


@dataclass(frozen=True, slots=True)
class Uuid:
    """A random UUID (version 4)."""

    kind: Literal["uuid"] = "uuid"


@dataclass(frozen=True, slots=True)
class Token:
    """The bearer token that the login flow brought."""

    kind: Literal["token"] = "token"


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """A secret of a login, taken from this environment variable when the run begins; never written down."""

    variable: str
    kind: Literal["env_secret"] = "env_secret"


Value = RandomInt | Sequence | Choice | DateFromToday | CsvColumn | Uuid | Token | EnvSecret


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed and changing pieces side by side: `Text(("guest-", Sequence(), "@example.com"))`."""

    pieces: tuple[str | Value, ...]


# A template is a text, a value, or a mixture. `Json` is a tree whose leaves may be templates.
Template = str | Value | Text
Json: TypeAlias = "bool | int | float | str | Value | Text | dict[str, Json] | list[Json] | tuple[Json, ...] | None"

# --- checks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BodyContains:
    """The answer's body holds this text."""

    text: str
    kind: Literal["body_contains"] = "body_contains"


@dataclass(frozen=True, slots=True)
class BodyAtMost:
    """The answer's body is no longer than this."""

    size_bytes: int
    kind: Literal["body_at_most"] = "body_at_most"


@dataclass(frozen=True, slots=True)
class HeaderEquals:
    """The answer carries this header with this value (name in any case)."""

    name: str
    value: str
    kind: Literal["header_equals"] = "header_equals"


Check = BodyContains | BodyAtMost | HeaderEquals

# --- requests ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One kind of request, its share of the traffic and what counts as an answer to it."""

    name: str
    weight: float
    method: str
    path: Template
    query: dict[str, Template] = field(default_factory=dict)
    headers: dict[str, Template] = field(default_factory=dict)
    json: Json = None  # the body, or none
    expect: tuple[int, ...] = (200,)
    checks: tuple[Check, ...] = ()
    timeout_s: float = 10.0  # from the intended start
    writes: bool = False  # leaves something behind in the target


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a worker gets bearer tokens before the load begins; not part of the rate."""

    method: str
    path: str
    json: Json
    token_pointer: str  # JSON pointer into the answer, such as "/access_token"
    tokens: int = 1  # how many separate logins; requests share them in turn
    expect: tuple[int, ...] = (200,)
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A traffic mix: what is sent, in which proportions, with which headers on everything."""

    name: str
    requests: tuple[Request, ...]
    headers: dict[str, Template] = field(default_factory=dict)
    login: Login | None = None
