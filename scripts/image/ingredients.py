"""What the Dockerfile is given with WHEELS=given: locked packages, golive's wheel, the rehearsal platform, the crates.

Everything is made with what `make setup` uses: pip with hashes, maturin and cargo with their locks.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.image.commands import call
from scripts.image.fingerprint import of_files
from scripts.image.paths import CHECKOUT, GIVEN, LOCK, cache

ENGINE = CHECKOUT / "engine"
PROGRAM = "golive-rehearsal"
REMEDY = "Run `make setup` and look at what it says."


def gather_for_golive() -> None:
    """Lay out what the golive image is made of."""
    _place(_packages(), GIVEN / "packages")
    with tempfile.TemporaryDirectory() as workshop:
        build_wheel(Path(workshop))
        _place(Path(workshop), GIVEN / "golive")
    _note_crates(GIVEN / "golive")


def build_wheel(into: Path) -> None:
    """Build golive's own wheel from the checkout."""
    maturin = Path(sys.executable).with_name("maturin")
    command: list[str | Path] = [maturin, "build", "--quiet", "--release", "--locked", "--out", into]
    call(command, within=CHECKOUT, remedy=REMEDY, variables=_cargo_variables())


def gather_for_platform() -> None:
    """Lay out what the platform image is made of: one program that brings its C library along."""
    variables = {**_cargo_variables(), "RUSTFLAGS": "-C target-feature=+crt-static"}
    host = _host_triple()
    command = ["cargo", "build", "--quiet", "--release", "--locked", "-p", "golive-platform", "--target", host]
    call(command, within=ENGINE, remedy=REMEDY, variables=variables)
    folder = GIVEN / "platform"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy2(Path(variables["CARGO_TARGET_DIR"]) / host / "release" / PROGRAM, folder / PROGRAM)
    _note_crates(folder)


def _packages() -> Path:
    """The lock's packages as wheels, downloaded once for each content of the lock."""
    kept = cache() / "wheels" / of_files(LOCK)
    if not kept.is_dir():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as workshop:
            fetched = Path(workshop) / "fetched"
            options: list[str | Path] = [
                "--quiet",
                "--no-deps",
                "--only-binary",
                ":all:",
                "--require-hashes",
                "--requirement",
                LOCK,
            ]
            pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
            call([*pip, *options, "--dest", fetched], within=CHECKOUT, remedy=REMEDY)
            fetched.rename(kept)
    return kept


def _place(files: Path, into: Path) -> None:
    """Put a folder's files in place, by link where the file system can."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    for file in files.iterdir():
        try:
            os.link(file, into / file.name)
        except OSError:
            shutil.copy2(file, into / file.name)


def _note_crates(folder: Path) -> None:
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", _host_triple()]
    (folder / "crates.json").write_text(call(command, within=ENGINE, remedy=REMEDY, variables=_cargo_variables()))


def _host_triple() -> str:
    told = call(["rustc", "--version", "--verbose"], within=ENGINE, remedy=REMEDY)
    return next(line.removeprefix("host: ") for line in told.splitlines() if line.startswith("host: "))


def _cargo_variables() -> dict[str, str]:
    return {
        "CARGO_TARGET_DIR": os.environ.get("CARGO_TARGET_DIR") or str(cache() / "cargo"),
        "VIRTUAL_ENV": sys.prefix,
    }
