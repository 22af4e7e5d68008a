"""One thing that happened in a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened in a run; `kind` and the fields are listed in docs/record.md."""

    at_unix_s: float
    kind: str
    fields: Mapping[str, Any]
