"""What must not run out, and how much of it a process had in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSeries:
    """How much of something that must not run out one process had in use, in one life: from a start to its end."""

    name: str  # the process: a pod, an instance
    source: str
    at_unix_s: NDArray[np.float64]
    value: NDArray[np.float64]
    limit: float | None = None  # where it ends; None: not known
    taken: float = 0.0  # of the limit, by what is judged elsewhere: connections are file handles
    group: str = ""  # whose process it is: replicas of one group come and go
