"""The images every cluster has: what holds a pod, what the tests run in pods, and the rehearsal platform."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.artefacts.image_archive import Image, write
from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.commands import call

PAUSE = "localhost/pause:1"
PROBE = "localhost/probe:1"
PLATFORM = "localhost/golive-platform:test"


def make(artefacts: Artefacts) -> None:
    """Write the archives of pause and probe."""
    artefacts.images.mkdir(parents=True, exist_ok=True)
    for name, program in ((PAUSE, "pause"), (PROBE, "probe")):
        image = Image(name=name, files={f"/{program}": artefacts.bin / program}, entrypoint=(f"/{program}",))
        write(image, artefacts.images / f"{program}.tar")


def make_platform(program: Path, archive: Path) -> None:
    """Write the archive of the rehearsal platform: the program and the libraries it is linked with."""
    place = "/usr/local/bin/golive-rehearsal"
    files = {place: program, **{str(library): library for library in _libraries(program)}}
    write(Image(name=PLATFORM, files=files, entrypoint=(place,)), archive)


def _libraries(program: Path) -> list[Path]:
    """The files that the loader would map, and the loader itself, under the names it looks for."""
    said = call(["ldd", program], remedy="Is this a dynamically linked program of this machine?")
    return [Path(path) for path in re.findall(r"(/\S+) \(0x", said)]
