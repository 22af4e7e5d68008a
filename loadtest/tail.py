"""A file that grows, read line by line as it does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Tail:
    """Reads only what was added to a growing file since the last look; never half a line."""

    path: Path
    _at: int = 0

    def lines(self) -> list[str]:
        """The whole lines that are new."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                fresh = file.read()
        except FileNotFoundError:
            return []
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._at += len(whole)
        return whole.decode("utf-8", errors="replace").split("\n")[:-1]  # splitlines() would split at U+2028 too
