"""Where runs are kept: new folders, and finding an old one by what people call it."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from scenarios.errors import UsageError

CLUSTER_FOLDER = "kubernetes"  # what the witness of a run on a cluster wrote (docs/record.md)


def new_run_folder(results: Path, plan: str) -> Path:
    """A folder that is not there yet: UTC time, the plan's name, and two bytes that keep two runs apart."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    return results / f"{stamp}-{Path(plan).stem}-{secrets.token_hex(2)}"


def find_run(results: Path, called: str) -> Path:
    """The folder of a run by its path, its id or the beginning of it; the newest for ""."""
    if called and (Path(called) / "run.json").is_file():
        return Path(called)
    known = sorted(folder.parent for folder in results.glob("*/run.json"))
    # The sample is there to be read, not to be taken for somebody's newest run.
    found = [folder for folder in known if folder.name.startswith(called) and (called or folder.name != "sample")]
    if not found:
        raise UsageError(
            f"There is no run {called!r} in {results}/." if called else f"There is no run in {results}/ yet.",
            remedy="Name a run's folder, or look where RESULTS= pointed: each run printed its folder.",
        )
    if called and len(found) > 1:
        names = ", ".join(folder.name for folder in found[:5])
        raise UsageError(f"{called!r} could be any of {names}.", remedy="Write more of the run's id.")
    return found[-1]


def is_here(results: Path, called: str) -> bool:
    """Whether a run of this name was made on this machine and not on a cluster."""
    try:
        folder = find_run(results, called)
    except UsageError:
        return False
    return not (folder / CLUSTER_FOLDER).is_dir()


def has_ended(folder: Path) -> bool:
    """Whether the run's load is over, by its own record."""
    events = folder / "events.jsonl"
    return events.is_file() and any(
        word in events.read_text() for word in ('"load_ended"', '"load_failed"', '"closed"')
    )
