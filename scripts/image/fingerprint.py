"""Names for contents: the same files give the same name, so that what was made of them is found again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

LENGTH = 16
UNREAD = {"__pycache__", "target"}


def of_files(*places: Path) -> str:
    """The fingerprint of files and folders: their paths below what was named, and their bytes."""
    digest = hashlib.sha256()
    for place in places:
        for file in sorted(_files(place)):
            content = file.read_bytes()
            digest.update(f"{place.name}/{file.relative_to(place)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:LENGTH]


def of_words(*words: str) -> str:
    """The fingerprint of texts."""
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:LENGTH]


def _files(place: Path) -> Iterable[Path]:
    if place.is_file():
        return [place]
    return (
        path
        for path in place.rglob("*")
        if path.is_file() and path.suffix != ".so" and not UNREAD & set(path.relative_to(place).parts)
    )
