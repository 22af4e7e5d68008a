"""What was in a record when it was closed (`manifest.json`): the SHA-256 of every other file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from scenarios.errors import RecordUnreadable

FORMAT = 1
NAME = "manifest.json"


def write_manifest(folder: Path) -> None:
    """Write down the SHA-256 of every file of the record but the manifest itself."""
    content = {"format": FORMAT, "sha256": _sums(folder)}
    half = folder / f"{NAME}.new"
    half.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    half.replace(folder / NAME)


def changed_since(folder: Path) -> tuple[str, ...]:
    """What is not as the manifest says: `changed: …`, `missing: …`, `added: …`. Raises RecordUnreadable without one."""
    known, found = _written(folder), _sums(folder)
    unlike = [f"{'changed' if name in found else 'missing'}: {name}" for name in unlike_manifest(folder)]
    return (*sorted(unlike), *(f"added: {name}" for name in sorted(found.keys() - known.keys())))


def unlike_manifest(folder: Path) -> tuple[str, ...]:
    """The files that the manifest lists and that are missing or have another content. RecordUnreadable without one."""
    known, found = _written(folder), _sums(folder)
    return tuple(name for name in sorted(known) if known[name] != found.get(name))


def _written(folder: Path) -> dict[str, str]:
    try:
        written = json.loads((folder / NAME).read_text(encoding="utf-8"))["sha256"]
        return {str(name): str(digest) for name, digest in written.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RecordUnreadable(
            f"{folder / NAME} cannot be read: {problem}.", remedy="Judge the run again: golive judge RUN."
        ) from None


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (NAME, f"{NAME}.new"))
    return {path.relative_to(folder).as_posix(): _sum(path) for path in files}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
