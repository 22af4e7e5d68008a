"""Run a program to its end and say what it said when it fails."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from scenarios.errors import StageFailed

PATIENCE_S = 120.0


def call(
    command: Sequence[str | Path],
    *,
    remedy: str,
    within_s: float = PATIENCE_S,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """What the program wrote to its standard output."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=True,
        )
    except FileNotFoundError as missing:
        raise StageFailed(f"{words[0]} is not here.", remedy=remedy) from missing
    except subprocess.TimeoutExpired as late:
        raise StageFailed(f"`{_short(words)}` took longer than {within_s:.0f} s.", remedy=remedy) from late
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr or failed.stdout).strip()
        raise StageFailed(f"`{_short(words)}` ended with {failed.returncode}: {said}", remedy=remedy) from failed
    return done.stdout


def succeeds(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the program ends with 0; what it says is dropped."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, env=environment, capture_output=True, timeout=PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _short(words: Sequence[str]) -> str:
    return " ".join(words) if len(words) <= 8 else " ".join([*words[:8], "…"])
