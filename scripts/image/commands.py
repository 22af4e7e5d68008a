"""Programs of this machine, called so that a failure says what they said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.errors import PreflightFailed

WITHIN_S = 1200
LAST_LINES = 12


def call(
    command: Sequence[str | Path], *, within: Path, remedy: str, variables: Mapping[str, str] | None = None
) -> str:
    """Run a program and return what it printed; PreflightFailed with its last lines when it fails."""
    program = str(command[0])
    if not shutil.which(program):
        raise PreflightFailed(f"{program} is not here.", remedy=remedy)
    environment = {**os.environ, **(variables or {})}
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=within,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=WITHIN_S,
        )
    except subprocess.TimeoutExpired as late:
        raise PreflightFailed(f"`{program}` took longer than {WITHIN_S} s.", remedy=remedy) from late
    if done.returncode != 0:
        said = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:])
        raise PreflightFailed(f"`{program} {command[1]} …` failed ({done.returncode}):\n  {said}", remedy=remedy)
    return done.stdout
