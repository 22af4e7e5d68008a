"""From the checkout to an image archive, found again when nothing that it is made of has changed."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scenarios.errors import PreflightFailed
from scripts.image import buildah, debian_root
from scripts.image.commands import call
from scripts.image.fingerprint import of_files, of_words
from scripts.image.ingredients import gather_for_golive, gather_for_platform
from scripts.image.paths import CHECKOUT, GIVEN, LOCK, SOURCES, images

KEPT_BUILDS = 3
IMAGES = {"golive": "localhost/golive:test", "platform": "localhost/golive-platform:test"}
BASE = "localhost/golive-base"
SBOM = "sbom.cdx.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image as a file, and its bill of materials beside it."""

    name: str
    archive: Path
    sbom: Path


def build_image(target: str, *, base: str = "") -> Built:
    """Build one of the Dockerfile's targets without a registry, or return what was built of the same sources before."""
    with _one_at_a_time():
        base = base or _debian_base()
        folder = images() / f"{target}-{of_words(_sources_of(target), base)}"
        built = Built(name=IMAGES[target], archive=folder / f"{target}.tar", sbom=folder / SBOM)
        if not built.archive.is_file():
            _gather(target)
            _build(target, base, built)
        folder.touch()
        _drop_old_builds(target)
    return built


def _build(target: str, base: str, built: Built) -> None:
    arguments = {"BASE": base, "WHEELS": "given", "VERSION": _version(), "REVISION": _revision()}
    if target == "golive":  # a name of its own keeps the stage of the packages, the slow one, for the next build
        buildah.build(CHECKOUT, name=f"{BASE}-and-packages:kept", target="locked", arguments=arguments)
    buildah.build(CHECKOUT, name=built.name, target=target, arguments=arguments)
    built.archive.parent.mkdir(parents=True, exist_ok=True)
    built.sbom.write_text(_read_from_image(built.name, f"opt/golive/{SBOM}"))
    buildah.write_archive(built.name, built.archive)
    buildah.tidy()


def _gather(target: str) -> None:
    for empty in ("packages", "golive", "platform"):
        (GIVEN / empty).mkdir(parents=True, exist_ok=True)
    if target == "golive":
        gather_for_golive()
    else:
        gather_for_platform()


def _debian_base() -> str:
    """The base made of Debian's packages, in buildah's store; made anew when this file's list of them changes."""
    name = f"{BASE}:{of_files(Path(debian_root.__file__))}"
    if name not in buildah.images_called(BASE):
        with tempfile.TemporaryDirectory(dir=images()) as workshop:
            root = Path(workshop) / "context" / "root"
            packages = Path(workshop) / "packages"
            root.mkdir(parents=True)
            packages.mkdir()
            debian_root.unpack(debian_root.download(packages), root)
            (root.parent / "Dockerfile").write_text("FROM scratch\nCOPY root /\nENV PATH=/usr/local/bin:/usr/bin\n")
            buildah.build(root.parent, name=name)
        for old in set(buildah.images_called(BASE)) - {name}:
            buildah.buildah("rmi", old, within=CHECKOUT)
    return name


def _sources_of(target: str) -> str:
    recipe = [CHECKOUT / "Dockerfile", CHECKOUT / ".dockerignore", CHECKOUT / "engine", Path(__file__).parent]
    python = [LOCK, *(CHECKOUT / name for name in ("pyproject.toml", "README.md", "LICENSE", *SOURCES))]
    return of_files(*recipe, *(python if target == "golive" else []))


def _read_from_image(name: str, path: str) -> str:
    container = buildah.buildah("from", name, within=CHECKOUT)
    try:
        return (Path(buildah.buildah("mount", container, within=CHECKOUT)) / path).read_text()
    finally:
        buildah.buildah("rm", container, within=CHECKOUT)


def _drop_old_builds(target: str) -> None:
    builds = sorted(images().glob(f"{target}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for old in builds[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


def _version() -> str:
    version: str = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    return version


def _revision() -> str:
    """The commit, marked when the checkout differs from it; "unknown" outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return call(command, within=CHECKOUT, remedy="Build from a repository.").strip()
    except PreflightFailed:
        return "unknown"


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two builds at once would give the Dockerfile each other's wheels."""
    images().mkdir(parents=True, exist_ok=True)
    with (images() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
