"""Where the stage's programs are: Prometheus and Alertmanager from PATH, or Debian's packages unpacked into a cache.

Nothing is installed: the packages are downloaded with an apt state of our own and unpacked with dpkg, so no root is
needed and no service starts. `python -m loadtest.rehearsal.binaries` does it ahead of time.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import PreflightFailed

PACKAGES = ("prometheus", "prometheus-alertmanager")
NAMES = {"prometheus": ("prometheus",), "alertmanager": ("prometheus-alertmanager", "alertmanager")}
DOWNLOAD_WITHIN_S = 300
PLATFORM = "golive-rehearsal"
PLATFORM_VARIABLE = "GOLIVE_REHEARSAL_BINARY"
REPOSITORY = Path(__file__).resolve().parents[2]
# Debian's Alertmanager reads its templates from where the package would be installed. Unpacked elsewhere it is
# relocated as conda does it: that prefix is replaced by one of the same length, relative to the folder it runs in.
BUILT_FOR = b"/usr/share/prometheus/alertmanager"
RELOCATED = b"././././././././alertmanager-files"
ALERTMANAGER_FILES = "alertmanager-files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """The two programs."""

    prometheus: Path
    alertmanager: Path
    alertmanager_files: Path | None = None  # to be linked as ALERTMANAGER_FILES where it runs; None: not relocated


def monitoring() -> Monitoring:
    """Find both programs, fetching them where Debian's packages can be had.

    Raises PreflightFailed with a line for each one that is missing and cannot be fetched.
    """
    found = _on_path() or _in(_cache())
    if found:
        return found
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise PreflightFailed(
            "\n".join(
                f"Missing: {program} (looked for {' or '.join(NAMES[program])} on PATH)." for program in _missing()
            ),
            remedy="Put what is missing on PATH: each is a single program, from the Prometheus project's releases.",
        )
    try:
        _fetch(_cache())
    except OSError as wrong:
        raise PreflightFailed(
            f"{_cache()} cannot be written: {wrong}.",
            remedy="Make room or give access there, or set XDG_CACHE_HOME to another folder.",
        ) from wrong
    fetched = _in(_cache())
    if not fetched:
        raise PreflightFailed(
            f"Debian's packages were unpacked into {_cache()} but hold no Prometheus.",
            remedy="Remove that folder and run again, or put prometheus and alertmanager on PATH.",
        )
    return fetched


def rehearsal_platform() -> Path:
    """The rehearsal platform's program: the one that GOLIVE_REHEARSAL_BINARY names, or where `make setup` put it."""
    named = os.environ.get(PLATFORM_VARIABLE)
    built = [Path(sys.prefix) / "bin" / PLATFORM, REPOSITORY / "engine" / "target" / "release" / PLATFORM]
    for candidate in [Path(named)] if named else built:
        if candidate.is_file():
            return candidate
    if named:
        raise PreflightFailed(
            f"{PLATFORM_VARIABLE} names {named}, which is no file.", remedy="Unset it, or name the program."
        )
    raise PreflightFailed("The rehearsal platform is not built.", remedy="Run `make setup`.")


def _found(program: str) -> str | None:
    return next(filter(None, map(shutil.which, NAMES[program])), None)


def _missing() -> list[str]:
    return [program for program in NAMES if not _found(program)]


def _on_path() -> Monitoring | None:
    prometheus, alertmanager = _found("prometheus"), _found("alertmanager")
    if prometheus and alertmanager:
        return Monitoring(prometheus=Path(prometheus), alertmanager=Path(alertmanager))
    return None


def _in(folder: Path) -> Monitoring | None:
    programs = Monitoring(
        prometheus=folder / "usr/bin/prometheus",
        alertmanager=folder / "usr/bin/prometheus-alertmanager",
        alertmanager_files=folder / "usr/share/prometheus/alertmanager",
    )
    return programs if programs.prometheus.is_file() and programs.alertmanager.is_file() else None


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "golive" / "monitoring-debian"


def _fetch(into: Path) -> None:
    """Download and unpack beside the place, then move there in one step: two at once do not disturb each other."""
    into.parent.mkdir(parents=True, exist_ok=True)
    print("golive: fetching Prometheus and Alertmanager (Debian's packages, 30 MB, not installed)", file=sys.stderr)  # noqa: T201
    with _workshop(into.parent) as workshop:
        options = _private_apt(workshop)
        _call(["apt-get", *options, "-qq", "update"], workshop)
        _call(["apt-get", *options, "-qq", "download", *PACKAGES], workshop)
        for package in sorted(workshop.glob("*.deb")):
            _call(["dpkg", "-x", package.name, "root"], workshop)
        _relocate(workshop / "root/usr/bin/prometheus-alertmanager")
        try:
            (workshop / "root").rename(into)
        except OSError:
            if not _in(into):  # somebody else was first: then theirs is as good
                raise


def _relocate(program: Path) -> None:
    program.write_bytes(program.read_bytes().replace(BUILT_FOR, RELOCATED))


@contextmanager
def _workshop(beside: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=beside))
    try:
        for part in ("state/lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _private_apt(folder: Path) -> list[str]:
    options = {
        "Dir::State": folder / "state",
        "Dir::Cache": folder / "cache",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",  # as root, apt would otherwise warn that its own user cannot write here
    }
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _call(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=DOWNLOAD_WITHIN_S)
    except subprocess.CalledProcessError as failed:
        said = (failed.stderr or failed.stdout).strip().splitlines()
        raise PreflightFailed(
            f"`{command[0]} … {command[-1]}` failed: {said[-1] if said else failed.returncode}.",
            remedy="Is a Debian mirror reachable? Otherwise put prometheus and alertmanager on PATH.",
        ) from failed
    except subprocess.TimeoutExpired as late:
        raise PreflightFailed(
            f"`{command[0]} … {command[-1]}` took longer than {DOWNLOAD_WITHIN_S} s.",
            remedy="Try again, or put prometheus and alertmanager on PATH.",
        ) from late


def main() -> int:
    """Have both programs at hand; say what is wrong otherwise."""
    try:
        monitoring()
    except PreflightFailed as wrong:
        print(f"golive: {wrong}", file=sys.stderr)  # noqa: T201
        return wrong.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
