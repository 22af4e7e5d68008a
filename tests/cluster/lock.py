"""One at a time on this machine: a lock that goes with its holder, however that dies."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def alone(file: Path, say: Callable[[str], None], *, what: str) -> Iterator[None]:
    """Hold the lock; say what is waited for when somebody else does."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for {what} to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
