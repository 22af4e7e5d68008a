"""The time of a load on its master: the wall clock's when it was begun, and from there on a clock that never jumps."""

from __future__ import annotations

from dataclasses import dataclass, field

from loadtest.ports import Clock


@dataclass(slots=True)
class LoadClock:
    """What the engines do, they do by clocks that never jump; so whoever leads them must not go by one that does.

    Somebody who sets the wall clock forward by a few seconds would else make every worker look silent for so long.
    """

    clock: Clock
    _ahead_s: float = field(init=False)  # the wall clock of the never-jumping one
    _told_s: float = 0.0

    def __post_init__(self) -> None:
        """Begin now."""
        self.begin()

    def begin(self) -> None:
        """Go by what the wall clock says now."""
        self._ahead_s, self._told_s = self.clock.unix_s() - self.clock.monotonic_s(), 0.0

    def unix_s(self) -> float:
        """The time."""
        return self.clock.monotonic_s() + self._ahead_s

    def newly_stepped_s(self, least_s: float) -> float:
        """How far the wall clock has been set since it was last asked; 0 for less than `least_s`."""
        by_s = self.clock.unix_s() - self.unix_s() - self._told_s
        if abs(by_s) <= least_s:
            return 0.0
        self._told_s += by_s
        return by_s
