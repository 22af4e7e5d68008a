"""What was in a record when it was closed (`manifest.json`): the SHA-256 of every other file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from scenarios.errors import RecordUnreadable

FORMAT = 1
NAME = "manifest.json"
JUDGED = ("timeline.parquet", "verdict.json", "report.html", "report.md")  # written anew by whoever judges


def write_manifest(folder: Path, *, closed: bool = True) -> None:
    """Write down the SHA-256 of every file of the record but the manifest itself.

    closed: whether the run has ended. From then on what was measured is held to the sum it had: judging again renews
    only the sums of what judging writes, so a file that was changed stays told, however often it is judged.
    """
    held: dict[str, str] = {}
    with suppress(RecordUnreadable):  # whoever judges has told of it
        held = _held(folder)
    renewed = {name: _sum(path) for name, path in _files(folder).items() if name not in held}
    _replace(folder, {"format": FORMAT, "closed": closed, "sha256": {**renewed, **held}})


def was_closed(folder: Path) -> bool:
    """Whether the manifest was written when the run had ended."""
    with suppress(RecordUnreadable):
        return bool(_held(folder))
    return False


def release(folder: Path, part: str) -> None:
    """Hold a folder of the record to its sums no longer: it is about to be gathered anew."""
    if (folder / NAME).exists():
        known = {name: digest for name, digest in _written(folder).items() if not name.startswith(f"{part}/")}
        _replace(folder, {**_content(folder), "sha256": known})


def changed_since_closed(folder: Path) -> tuple[str, ...]:
    """What was measured and is not as it was when the run ended, in words; nothing where no run has ended yet."""
    try:
        held = _held(folder)
    except RecordUnreadable as wrong:
        return (f"{wrong.problem} Whether the record is as it was written cannot be told.",)
    return tuple(
        f"{name} {'was changed' if (folder / name).exists() else 'was taken away'} after the run had ended"
        for name in _unlike(folder, held)
    )


def unlike_manifest(folder: Path) -> tuple[str, ...]:
    """The files that the manifest lists and that are missing or have another content. RecordUnreadable without one."""
    return _unlike(folder, _written(folder))


def _unlike(folder: Path, sums: Mapping[str, str]) -> tuple[str, ...]:
    """Those of these files that are missing or have another content."""
    there = _files(folder)
    return tuple(name for name in sorted(sums) if name not in there or _sum(there[name]) != sums[name])


def _held(folder: Path) -> dict[str, str]:
    """The sums of what was measured, once the run has ended."""
    if not (folder / NAME).exists():
        return {}
    written = _written(folder)
    held = _content(folder).get("closed", True)  # older golives judged only what had ended
    return {name: digest for name, digest in written.items() if held and name not in JUDGED}


def _replace(folder: Path, content: Mapping[str, Any]) -> None:
    half = folder / f"{NAME}.new"
    half.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    half.replace(folder / NAME)


def _content(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    return content


def _written(folder: Path) -> dict[str, str]:
    try:
        return {str(name): str(digest) for name, digest in _content(folder)["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise RecordUnreadable(
            f"{folder / NAME} cannot be read: {problem}.", remedy="Judge the run again: golive judge RUN."
        ) from None


def _files(folder: Path) -> dict[str, Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (NAME, f"{NAME}.new"))
    return {path.relative_to(folder).as_posix(): path for path in files}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
