"""What the analysis needs from a metrics database, in our own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import MetricsUnavailable


class MetricsUnreachable(MetricsUnavailable):
    """Nobody answers there at all (rather than: this one question was refused)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One line of samples: its labels, the instants (unix seconds, ascending) and the values at them."""

    labels: Mapping[str, str]
    at_unix_s: NDArray[np.float64]
    values: NDArray[np.float64]


class MetricsSource(Protocol):
    """A Prometheus, or what stands in for one."""

    @property
    def server(self) -> str:
        """The address as it may be shown: without credentials."""
        ...

    def query_range(self, promql: str, *, start_unix_s: float, end_unix_s: float, step_s: float) -> tuple[Series, ...]:
        """The expression's value at every step from start to end; MetricsUnavailable when nobody answers."""
        ...

    def query(self, promql: str, *, at_unix_s: float) -> tuple[Series, ...]:
        """The expression at one instant; `selector[90s]` gives every stored sample of the 90 s before it."""
        ...
