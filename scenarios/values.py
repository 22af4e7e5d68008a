"""What changes from request to request: drawn, counted, fed from a file, or taken from an earlier answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomInt:
    """A whole number drawn evenly from `at_least`..`at_most`, both included."""

    at_least: int
    at_most: int
    kind: Literal["random_int"] = "random_int"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A whole number that no other request of the run carries, over all workers; one and the same in a whole flow."""

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


# How a file's rows are dealt: drawn anew each time; each in turn over the whole run and all workers, from the first
# again after the last; or in turn with every worker keeping to rows of its own.
Order: TypeAlias = Literal["random", "shared", "partitioned"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file of rows: all columns of one file in one request, or in one flow, come from one row."""

    file: str
    column: str
    order: Order = "random"
    bare: bool = False  # in a JSON body: without quotes, for numbers and truth values
    whole_path: bool = False  # as the whole path of a request, with its query, as it stands
    kind: Literal["csv"] = "csv"


@dataclass(frozen=True, slots=True)
class Feeder:
    """A file of rows, CSV with a header or JSON objects: `GUESTS = Feeder("guests.csv")`, then `GUESTS["email"]`."""

    file: str
    order: Order = "random"

    def __getitem__(self, column: str) -> Column:
        """One of its columns."""
        return Column(self.file, column, self.order)

    def bare(self, column: str) -> Column:
        """One of its columns, of numbers or truth values, that stays such in a JSON body: `ITEMS.bare("quantity")`."""
        return Column(self.file, column, self.order, bare=True)

    def path(self, column: str) -> Column:
        """One of its columns, of whole paths with their queries: `Request(path=URLS.path("url"))`."""
        return Column(self.file, column, self.order, whole_path=True)


@dataclass(frozen=True, slots=True)
class Uuid:
    """A random UUID (version 4)."""

    kind: Literal["uuid"] = "uuid"


@dataclass(frozen=True, slots=True)
class Token:
    """The bearer token that the login brought."""

    kind: Literal["token"] = "token"


@dataclass(frozen=True, slots=True)
class Captured:
    """What an earlier step of the same flow captured under this name."""

    name: str
    bare: bool = False  # in a JSON body: without quotes, for what was a number in the answer
    kind: Literal["captured"] = "captured"


@dataclass(frozen=True, slots=True)
class Link:
    """Where an earlier answer led: a captured path, or a whole URL of the target. It is the whole path of a request."""

    name: str
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class EnvSecret:
    """A secret of a login or a header, taken from this environment variable when the run begins; never written down."""

    variable: str
    kind: Literal["env_secret"] = "env_secret"


Value = RandomInt | Sequence | Choice | DateFromToday | Column | Uuid | Token | Captured | Link | EnvSecret


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed and changing pieces side by side: `Text(("guest-", Sequence(), "@example.com"))`."""

    pieces: tuple[str | Value, ...]


# A template is a text, a value, or a mixture. `Json` is a tree whose leaves may be templates.
Template = str | Value | Text
Json: TypeAlias = "bool | int | float | str | Value | Text | dict[str, Json] | list[Json] | tuple[Json, ...] | None"


def values_in(tree: Json) -> list[Value]:
    """Every value of a template or a JSON tree, in the order it is written."""
    match tree:
        case Text():
            return [piece for piece in tree.pieces if not isinstance(piece, str)]
        case dict():
            return [value for leaf in tree.values() for value in values_in(leaf)]
        case list() | tuple():
            return [value for leaf in tree for value in values_in(leaf)]
        case None | bool() | int() | float() | str():
            return []
        case _:
            return [tree]
