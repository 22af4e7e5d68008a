"""Have the artefacts of this checkout's recipe: from the cache, or built, by one builder at a time."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cluster.artefacts import debian, go_programs, images
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.artefacts.recipe import fingerprint
from tests.cluster.lock import alone
from tests.cluster.places import Places

Say = Callable[[str], None]
UNUSED_AFTER_S = 14 * 86_400


def known(places: Places) -> Artefacts:
    """Where this checkout's artefacts are, or would be."""
    return Artefacts(folder=places.cache / fingerprint())


def ensure(places: Places, say: Say) -> Artefacts:
    """Build them unless they are there; a build that was cut off goes on where it was."""
    artefacts = known(places)
    if not artefacts.folder.exists():
        with alone(places.cache / "build.lock", say, what="another build"):
            if not artefacts.folder.exists():
                _build(places, artefacts, say)
    os.utime(artefacts.folder)
    return artefacts


def _build(places: Places, artefacts: Artefacts, say: Say) -> None:
    begun = time.monotonic()
    say("building Kubernetes and its addons from Go modules: about 10 minutes on two cores, once for each recipe")
    making = Artefacts(folder=artefacts.folder.with_name(artefacts.folder.name + ".making"))
    go_cache = places.cache / "gocache"
    with _timed("Debian's packages", say):
        debian.fetch(making)
    go_programs.build(making, places.cache / "programs", go_cache, say)
    images.make(making)
    making.folder.rename(artefacts.folder)
    say(f"built in {(time.monotonic() - begun) / 60:.1f} minutes; removing Go's cache ({_gib(go_cache):.1f} GiB)")
    shutil.rmtree(go_cache, ignore_errors=True)
    _forget_unused(places, artefacts, say)


@contextmanager
def _timed(name: str, say: Say) -> Iterator[None]:
    begun = time.monotonic()
    yield
    say(f"  {name}: {time.monotonic() - begun:.0f} s")


def _gib(folder: Path) -> float:
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file()) / 2**30


def _forget_unused(places: Places, current: Artefacts, say: Say) -> None:
    """Remove what other recipes left that nobody has used for two weeks."""
    for folder in places.cache.iterdir():
        is_one = (folder / "nettools").is_dir() and folder != current.folder
        if is_one and time.time() - folder.stat().st_mtime > UNUSED_AFTER_S:
            say(f"removing {folder}, unused for two weeks")
            shutil.rmtree(folder)
    for program in (places.cache / "programs").iterdir():
        if program.stat().st_nlink == 1:
            program.unlink()
