"""The images every cluster has: what holds a pod, what the tests run in pods, and the rehearsal platform."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

from loadtest.rehearsal.binaries import ALERTMANAGER_FILES, monitoring
from tests.cluster.artefacts.image_archive import Image, write
from tests.cluster.artefacts.kept import Artefacts

PAUSE = "localhost/pause:1"
PROBE = "localhost/probe:1"
COREDNS = "localhost/coredns:1"
PROMETHEUS = "localhost/prometheus:1"
ALERTMANAGER = "localhost/alertmanager:1"
PLATFORM = "localhost/golive-platform:test"


def make(artefacts: Artefacts) -> None:
    """Write the archives of all but the rehearsal platform."""
    artefacts.images.mkdir(parents=True, exist_ok=True)
    for name, program in ((PAUSE, "pause"), (PROBE, "probe"), (COREDNS, "coredns")):
        image = Image(name=name, files={f"/{program}": artefacts.bin / program}, entrypoint=(f"/{program}",))
        write(image, artefacts.images / f"{program}.tar")
    watching = monitoring()
    write(_linked(PROMETHEUS, watching.prometheus, at="/usr/bin/prometheus"), artefacts.images / "prometheus.tar")
    alertmanager = _linked(ALERTMANAGER, watching.alertmanager, at="/usr/bin/alertmanager")
    if watching.alertmanager_files:
        files = {**alertmanager.files, f"/alertmanager/{ALERTMANAGER_FILES}": watching.alertmanager_files}
        alertmanager = replace(alertmanager, files=files, folder="/alertmanager")
    write(alertmanager, artefacts.images / "alertmanager.tar")


def make_platform(program: Path, archive: Path) -> None:
    """Write the archive of the rehearsal platform."""
    write(_linked(PLATFORM, program, at="/usr/local/bin/golive-rehearsal"), archive)


def _linked(name: str, program: Path, *, at: str) -> Image:
    """The program and all that its loader would map, itself too, under the names it looks for."""
    ran = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)  # ends with 1 for a static one
    libraries = {path: Path(path) for path in re.findall(r"(/\S+) \(0x", ran.stdout)}
    return Image(name=name, files={at: program, **libraries}, entrypoint=(at,))
