"""How long each condition of an HPA stood as it was, from looks at it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slo.evidence import Condition, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What one condition may say."""

    holds: bool
    reason: str = ""
    message: str = ""


def stretches(
    kind: str, at_unix_s: NDArray[np.float64], states: Sequence[State | None], most_apart_s: float
) -> Iterator[Condition]:
    """What followed each other without a change of holds or reason; None stands for a look that says nothing.

    A state lasts until the next look, unless that lies too far away.
    """
    codes: dict[tuple[bool, str] | None, int] = {}
    said = np.array(
        [codes.setdefault((one.holds, one.reason) if one else None, len(codes)) for one in states], dtype=np.int64
    )
    for first, start_unix_s, end_unix_s in _runs(at_unix_s, said, most_apart_s):
        state = states[first]
        if state is not None:
            window = Window(start_unix_s=start_unix_s, end_unix_s=end_unix_s)
            yield Condition(kind=kind, holds=state.holds, reason=state.reason, message=state.message, window=window)


def _runs(
    at_unix_s: NDArray[np.float64], said: NDArray[np.int64], most_apart_s: float
) -> Iterator[tuple[int, float, float]]:
    """Where each run of equal looks begins (its place and instant), and until when it stood."""
    if not len(said):
        return
    apart = np.diff(at_unix_s) > most_apart_s
    firsts = np.concatenate(([0], np.flatnonzero((np.diff(said) != 0) | apart) + 1))
    lasts = np.concatenate((firsts[1:] - 1, [len(said) - 1]))
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        goes_on = last + 1 < len(said) and not apart[last]
        yield first, float(at_unix_s[first]), float(at_unix_s[last + 1] if goes_on else at_unix_s[last])
