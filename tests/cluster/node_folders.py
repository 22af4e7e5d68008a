"""The few folders outside the cache that the node's programs insist on: mount points, removed when we made them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.places import Places

IN_MEMORY = ("/var/lib/kubelet", "/var/lib/cni")
POD_LOGS = ("/var/log/pods", "/var/log/containers")


def prepare(places: Places) -> None:
    """Make those that are missing, and write down which."""
    made = [folder for folder in (*IN_MEMORY, *POD_LOGS) if not Path(folder).exists()]
    _record(places).write_text(json.dumps(made))
    for folder in made:
        Path(folder).mkdir(parents=True)


def remove(places: Places) -> None:
    """Remove what was written down: what was in them went with the mounts."""
    if _record(places).exists():
        for folder in json.loads(_record(places).read_text()):
            if Path(folder).is_dir() and not any(Path(folder).iterdir()):
                Path(folder).rmdir()


def _record(places: Places) -> Path:
    return places.run / "made-folders.json"
