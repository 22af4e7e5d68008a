"""Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType


@dataclass(slots=True)
class Interruption:
    """The signals that came, by name; the second raises KeyboardInterrupt."""

    on_first: Callable[[str], None]
    signals: list[str] = field(default_factory=list)

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Take a signal."""
        name = signal.Signals(number).name
        self.signals.append(name)
        if len(self.signals) > 1:
            raise KeyboardInterrupt
        self.on_first(name)


@contextmanager
def interruptible(on_first: Callable[[str], None]) -> Iterator[Interruption]:
    """Take SIGINT and SIGTERM for the while, then give them back to whoever had them."""
    interruption = Interruption(on_first)
    former = {number: signal.signal(number, interruption) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
