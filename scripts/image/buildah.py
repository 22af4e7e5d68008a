"""buildah with a store of its own in the cache: builds a Dockerfile and writes images, as root, without a daemon."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from scripts.image.commands import call
from scripts.image.paths import images

REMEDY = "buildah must be here and run as root (Debian: apt-get install buildah). Or use docker build: docs/image.md."


def buildah(*words: str | Path, within: Path) -> str:
    """Run one buildah command and return what it printed."""
    store = images()
    store.mkdir(parents=True, exist_ok=True)
    places: list[str | Path] = ["--root", store / "store", "--runroot", store / "run", "--storage-driver", "overlay"]
    return call(["buildah", *places, *words], within=within, remedy=REMEDY).strip()


def images_called(name: str) -> list[str]:
    """The store's images of this name, with their tags."""
    listed = buildah("images", "--format", "{{.Name}}:{{.Tag}}", within=images().parent).splitlines()
    return [each for each in listed if each.startswith(f"{name}:")]


def tidy() -> None:
    """Remove what no image with a name is made of: a store would otherwise grow by each build."""
    buildah("rm", "--all", within=images().parent)
    buildah("rmi", "--prune", within=images().parent)


def build(context: Path, *, name: str, target: str = "", arguments: Mapping[str, str] | None = None) -> None:
    """Build a folder's Dockerfile. chroot is the isolation that needs neither a runtime nor a network of its own."""
    given = [word for key, value in (arguments or {}).items() for word in ("--build-arg", f"{key}={value}")]
    stage = ["--target", target] if target else []
    buildah("build", "--isolation", "chroot", "--layers", *given, *stage, "--tag", name, context, within=context)


def write_archive(name: str, into: Path) -> None:
    """Write an image as a file that `docker load` and `ctr images import` read; it is there whole or not at all."""
    beginning = into.with_suffix(".part")
    beginning.unlink(missing_ok=True)
    buildah("push", "--quiet", name, f"docker-archive:{beginning}:{name}", within=into.parent)
    beginning.rename(into)
