"""A run's record copied to this machine while it grows, and made sure of when it is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from loadtest.cluster.errors import RecordNotWhole

GROWING = (".jsonl", ".hlog")
MANIFEST = "manifest.json"
TRIES = 3


class RecordSource(Protocol):
    """Where the record lies: loadtest.cluster.record_client, or a folder in tests."""

    def files(self) -> dict[str, int]:
        """The record's files with their sizes as they are now."""
        ...

    def read(self, name: str, start: int) -> bytes:
        """Bytes of a file from `start` on; not necessarily all of them."""
        ...


@dataclass(slots=True)
class Mirror:
    """Fetches only what is new. What has arrived stays, whatever becomes of the pod."""

    source: RecordSource
    folder: Path
    _seen: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        """Fetch what was added to the growing files, and the small ones that are new or changed their size."""
        for name, size in self.source.files().items():
            if name.endswith(GROWING):
                self._extend(name, size)
            elif self._seen.get(name) != size:
                self._fetch(name, size)
            self._seen[name] = size

    def complete(self, unlike_manifest: Callable[[Path], tuple[str, ...]]) -> None:
        """Fetch everything that the manifest lists until each file agrees with it.

        unlike_manifest: the files of a folder that are missing or have another content than its manifest says.
        Raises RecordNotWhole when a file does not agree after several tries; nothing that arrived is removed.
        """
        self._fetch(MANIFEST, self.source.files().get(MANIFEST, 0))
        for _ in range(TRIES):
            wrong = unlike_manifest(self.folder)
            if not wrong:
                return
            sizes = self.source.files()
            for name in wrong:
                self._fetch(name, sizes.get(name, 0))
        wrong = unlike_manifest(self.folder)
        if wrong:
            raise RecordNotWhole(
                f"{len(wrong)} files of the record did not arrive whole: {', '.join(wrong[:5])}.",
                remedy="`golive collect RUN` tries again; the pod keeps the record until it has been collected.",
            )

    def _extend(self, name: str, size: int) -> None:
        path = self._here(name)
        have = path.stat().st_size if path.exists() else 0
        if have >= size:
            return
        with path.open("ab") as file:
            self._copy(name, file, have, size)

    def _fetch(self, name: str, size: int) -> None:
        """The whole file anew: under another name until it is there."""
        path = self._here(name)
        half = path.with_name(path.name + ".new")
        half.unlink(missing_ok=True)
        with half.open("wb") as file:
            self._copy(name, file, 0, size)
        half.replace(path)

    def _copy(self, name: str, into: IO[bytes], start: int, size: int) -> None:
        while start < size:
            piece = self.source.read(name, start)
            if not piece:
                return
            into.write(piece)
            start += len(piece)

    def _here(self, name: str) -> Path:
        """Where a file of the record lies here; a name that leads out of the folder is refused."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise RecordNotWhole(f"The pod names a file outside the record: {name!r}.", remedy="Is it golive's pod?")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
