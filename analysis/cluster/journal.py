"""The watch's own files: a line as soon as it is known, flushed; a full disk loses lines and never the run."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO


class Journal:
    """Appends lines to `NAME.jsonl` files of one folder, from any thread."""

    def __init__(self, folder: Path, now_unix_s: Callable[[], float] = time.time) -> None:
        """Make the folder; a file is made with its first line."""
        self._folder = folder
        self._now_unix_s = now_unix_s
        self._files: dict[str, TextIO] = {}
        self._lock = threading.Lock()
        self._closed = False
        self.lost = 0  # lines that could not be written
        folder.mkdir(parents=True, exist_ok=True)

    def now_unix_s(self) -> float:
        """The instant a line written now carries."""
        return round(self._now_unix_s(), 3)

    def write(self, name: str, fields: Mapping[str, Any]) -> None:
        """Append one line; after `close` nothing is written any more."""
        line = json.dumps({"at_unix_s": self.now_unix_s(), **fields}, ensure_ascii=False, separators=(",", ":"))
        with self._lock:
            if self._closed:
                return
            try:
                file = self._file(name)
                file.write(line + "\n")
                file.flush()
            except OSError:
                self.lost += 1

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            self._closed = True
            for file in self._files.values():
                try:
                    file.close()
                except OSError:
                    self.lost += 1
            self._files.clear()

    def _file(self, name: str) -> TextIO:
        if name not in self._files:
            self._files[name] = (self._folder / f"{name}.jsonl").open("a", encoding="utf-8")
        return self._files[name]
