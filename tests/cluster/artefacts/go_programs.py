"""Compile the Go programs, each in a step that says how long it took; what is there already is not built again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.artefacts.recipe import GO, NODE, PARTS, PROGRAMS, Program, fingerprint_of, version_flags
from tests.cluster.commands import call

REMEDY = "Is Go (1.24 or newer) installed, and can it reach its module proxy?"
STEP_WITHIN_S = 1800.0


def build(artefacts: Artefacts, kept: Path, go_cache: Path, say: Callable[[str], None]) -> None:
    """Have all of them in the artefacts' folder; one that some recipe has had is in `kept` and not compiled again."""
    for folder in (artefacts.bin, kept, go_cache):
        folder.mkdir(parents=True, exist_ok=True)
    steps = len(PARTS) + len(PROGRAMS)
    if not _in(kept, NODE).exists():
        for number, part in enumerate(PARTS, start=1):
            took_s = _go_build(go_cache, *part.packages)
            say(f"  {number}/{steps} {part.name}: {took_s:.0f} s")
    for number, program in enumerate(PROGRAMS, start=len(PARTS) + 1):
        target = _in(kept, program)
        if not target.exists():
            took_s = _link(go_cache, program, target)
            say(f"  {number}/{steps} {program.name}: {took_s:.0f} s, {target.stat().st_size >> 20} MiB")
        _place(program, target, artefacts.bin)


def _in(kept: Path, program: Program) -> Path:
    return kept / f"{program.name}-{fingerprint_of(program)}"


def _place(program: Program, built: Path, into: Path) -> None:
    """A hard link: what no recipe links any more can be forgotten."""
    for name in (program.name, *program.also_called):
        (into / name).unlink(missing_ok=True)
    (into / program.name).hardlink_to(built)
    for name in program.also_called:
        (into / name).symlink_to(program.name)


def _link(go_cache: Path, program: Program, target: Path) -> float:
    making = target.with_suffix(".making")
    took_s = _go_build(go_cache, "-ldflags", f"-s -w {version_flags()}", "-o", str(making), program.package)
    making.rename(target)
    return took_s


def _go_build(go_cache: Path, *words: str) -> float:
    """How long it took, in seconds."""
    begun = time.monotonic()
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOCACHE": str(go_cache),
        "GOFLAGS": "-buildvcs=false -mod=readonly -trimpath",
    }
    command = ["nice", "-n", "10", "go", "build", *words]
    call(command, remedy=REMEDY, within_s=STEP_WITHIN_S, folder=GO, environment=environment)
    return time.monotonic() - begun
