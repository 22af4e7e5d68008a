"""Write an image of one layer as an archive that `ctr images import` takes; no daemon, no registry."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """What is in it and how it starts."""

    name: str  # with its tag
    files: Mapping[str, Path]  # where in the image: what from here
    entrypoint: tuple[str, ...]
    folder: str = "/"  # where it starts
    user: str = "10001:10001"
    environment: tuple[str, ...] = field(default=("PATH=/usr/local/bin:/usr/bin:/bin",))


def write(image: Image, archive: Path) -> None:
    """Write the archive in one step: it is there whole or not at all."""
    layer, making = archive.with_suffix(".layer"), archive.with_suffix(".making")
    with tarfile.open(layer, "w") as tar:
        for place, source in sorted(image.files.items()):
            tar.add(source.resolve(), arcname=place.lstrip("/"), filter=_plain)
    digest = _sha256(layer)
    configuration = json.dumps(_configuration(image, digest)).encode()
    configuration_name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    listed = {"Config": configuration_name, "RepoTags": [image.name], "Layers": [f"{digest}/layer.tar"]}
    with tarfile.open(making, "w") as tar:
        _add(tar, configuration_name, configuration)
        tar.add(layer, arcname=f"{digest}/layer.tar", filter=_plain)
        _add(tar, "manifest.json", json.dumps([listed]).encode())
    layer.unlink()
    making.rename(archive)


def _configuration(image: Image, digest: str) -> dict[str, object]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": list(image.environment),
            "User": image.user,
            "WorkingDir": image.folder,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same bytes give the same image: no owner, no time."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 0
    return entry


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
