"""The peers, from the package registries by their ordinary clients, into a cache; the machine stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench_peers.load import ToolFailed

INSTALL_WITHIN_S = 1800
OWN_SERVER = Path(__file__).with_name("server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A program at hand."""

    program: str
    version: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoModule:
    """A program that `go install` builds."""

    name: str
    module: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crate:
    """A program that `cargo install` builds."""

    name: str
    version: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackage:
    """A program unpacked from Debian's package in the version at hand, with the libraries it needs."""

    name: str
    packages: tuple[str, ...]


Package = GoModule | Crate | DebianPackage

PACKAGES: Mapping[str, Package] = {
    "wrk": DebianPackage(name="wrk", packages=("wrk", "libluajit-5.1-2", "libluajit-5.1-common")),
    "h2load": DebianPackage(
        name="h2load", packages=("nghttp2-client", "libnghttp2-14", "libev4", "libjansson4", "libjemalloc2")
    ),
    "hey": DebianPackage(name="hey", packages=("hey",)),
    "oha": Crate(name="oha", version="1.16.0", options=("--no-default-features", "--features", "rustls")),
    "vegeta": GoModule(name="vegeta", module="github.com/tsenart/vegeta/v12", version="12.13.0"),
    "k6": GoModule(name="k6", module="go.k6.io/k6", version="1.8.1"),
    # Newer ones need a module that the Go module proxy does not serve.
    "fortio": GoModule(name="fortio", module="fortio.org/fortio", version="1.68.1"),
}


def cache() -> Path:
    """Where the peers are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "golive" / "peers"


def installed(name: str, say: Callable[[str], None]) -> Installed:
    """Find a peer in the cache, or install it there; ToolFailed when that cannot be done."""
    package = PACKAGES[name]
    cache().mkdir(parents=True, exist_ok=True)
    match package:
        case DebianPackage():
            return _from_debian(package, say)
        case GoModule():
            folder = cache() / f"{name}-{package.version}"
            _once(folder / name, lambda: _go_install(package, folder), say)
            return Installed(program=str(folder / name), version=package.version, environment={})
        case Crate():
            folder = cache() / f"{name}-{package.version}"
            _once(folder / "bin" / name, lambda: _cargo_install(package, folder), say)
            return Installed(program=str(folder / "bin" / name), version=package.version, environment={})


def target_program(say: Callable[[str], None]) -> Path:
    """The bench's own server, built when its sources are newer."""
    folder = cache() / "bench-target"
    program = folder / "release" / "bench-target"
    newest = max(path.stat().st_mtime for path in OWN_SERVER.rglob("*") if path.is_file())
    if not program.is_file() or program.stat().st_mtime < newest:
        say("building the target")
        build = ["cargo", "build", "--release", "--locked", "--target-dir", str(folder)]
        _call([*build, "--manifest-path", str(OWN_SERVER / "Cargo.toml")])
        program.touch()
    return program


def _once(program: Path, install: Callable[[], None], say: Callable[[str], None]) -> None:
    if not program.is_file():
        say(f"installing {program.name} into {program.parent}")
        install()


def _go_install(package: GoModule, folder: Path) -> None:
    settings = {"GOBIN": str(folder), "GOTOOLCHAIN": "local"}
    _call(["go", "install", "-trimpath", f"{package.module}@v{package.version}"], settings)


def _cargo_install(package: Crate, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="golive-peers-") as built:
        where = ["--root", str(folder), "--target-dir", built]
        _call(["cargo", "install", "--locked", *package.options, *where, f"{package.name}@{package.version}"])


def _from_debian(package: DebianPackage, say: Callable[[str], None]) -> Installed:
    there = sorted(cache().glob(f"{package.name}-debian-*"))
    folder = there[-1] if there else _unpack(package, say)
    libraries = sorted({str(path.parent) for path in folder.rglob("*.so*")})
    return Installed(
        program=str(folder / "usr/bin" / package.name),
        version=folder.name.removeprefix(f"{package.name}-debian-"),
        environment={"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {},
    )


def _unpack(package: DebianPackage, say: Callable[[str], None]) -> Path:
    say(f"unpacking {package.name} from Debian's packages into {cache()}")
    workshop = Path(tempfile.mkdtemp(prefix="fetch-", dir=cache()))
    try:
        _download(package, workshop)
        for archive in sorted(workshop.glob("*.deb")):
            _call(["dpkg", "-x", archive.name, "root"], folder=workshop)
        version = next(workshop.glob(f"{package.packages[0]}_*.deb")).name.split("_")[1].replace("%3a", "-")
        return (workshop / "root").rename(cache() / f"{package.name}-debian-{version}")
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _download(package: DebianPackage, workshop: Path) -> None:
    """With the machine's package lists where they are good, else with fresh ones of our own."""
    download = ["-qq", "-o", "APT::Sandbox::User=root", "download", *package.packages]
    try:
        _call(["apt-get", *download], folder=workshop)
    except ToolFailed:
        for part in ("state/lists/partial", "cache/archives/partial"):
            (workshop / part).mkdir(parents=True)
        own = [f"Dir::State={workshop / 'state'}", f"Dir::Cache={workshop / 'cache'}", "Debug::NoLocking=1"]
        own += ["Dir::State::status=/var/lib/dpkg/status", "APT::Sandbox::User=root"]
        options = [word for option in own for word in ("-o", option)]
        _call(["apt-get", *options, "-qq", "update"], folder=workshop)
        _call(["apt-get", *options, *download], folder=workshop)


def _call(command: list[str], settings: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "CARGO_TARGET_DIR"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=INSTALL_WITHIN_S, check=False,
            cwd=folder, env={**environment, **(settings or {})},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as wrong:
        raise ToolFailed(f"`{' '.join(command[:2])}`: {wrong}") from wrong
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise ToolFailed(f"`{' '.join(command[:2])}` failed: {said[-1] if said else done.returncode}")
