"""Debian's packages, downloaded with an apt state of our own and unpacked: nothing is installed, nothing starts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.artefacts.kept import Artefacts
from tests.cluster.artefacts.recipe import NET_PACKAGES, RUNTIME_PACKAGES
from tests.cluster.commands import call

REMEDY = "Is this Debian or Ubuntu, and is its mirror reachable?"
DOWNLOAD_WITHIN_S = 600.0
# The unpacked net tools find their libraries and plugins by these. The legacy iptables does not use nftables, so that
# it and kube-proxy cannot disturb each other.
WRAPPED = {
    "nft": "nft",
    "ipset": "ipset",
    "iptables": "xtables-legacy-multi iptables",
    "iptables-save": "xtables-legacy-multi iptables-save",
    "iptables-restore": "xtables-legacy-multi iptables-restore",
}


def fetch(artefacts: Artefacts) -> None:
    """Download, unpack, wrap."""
    workshop = artefacts.folder / "debs"
    shutil.rmtree(workshop, ignore_errors=True)
    for part in ("state/lists/partial", "cache/archives/partial"):
        (workshop / part).mkdir(parents=True)
    apt = ["apt-get", *_private_state(workshop), "-qq"]
    call([*apt, "update"], remedy=REMEDY, within_s=DOWNLOAD_WITHIN_S, folder=workshop)
    for packages, into in ((RUNTIME_PACKAGES, artefacts.root), (NET_PACKAGES, artefacts.nettools)):
        _unpack(apt, packages, into, workshop)
    _wrap(artefacts)
    shutil.rmtree(workshop)


def _private_state(folder: Path) -> list[str]:
    options = {
        "Dir::State": folder / "state",
        "Dir::Cache": folder / "cache",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",  # apt's own user could not write here
    }
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _unpack(apt: list[str], packages: Iterable[str], into: Path, workshop: Path) -> None:
    folder = workshop / into.name
    folder.mkdir()
    call([*apt, "download", *packages], remedy=REMEDY, within_s=DOWNLOAD_WITHIN_S, folder=folder)
    into.mkdir(parents=True, exist_ok=True)
    for package in sorted(folder.glob("*.deb")):
        call(["dpkg", "-x", package, into], remedy=REMEDY)


def _wrap(artefacts: Artefacts) -> None:
    wrappers = artefacts.nettools / "wrap"
    wrappers.mkdir(exist_ok=True)
    libraries = next(path.parent for path in sorted(artefacts.nettools.glob("usr/lib/*/libnftables.so.1")))
    tools = artefacts.nettools / "usr/sbin"
    for name, command in WRAPPED.items():
        # Relative to the wrapper: the folder is renamed when all is built.
        home = '"$(dirname "$(readlink -f "$0")")"/..'
        lines = (
            "#!/bin/sh",
            f"home=$(cd {home} && pwd)",
            f"export LD_LIBRARY_PATH=$home/{libraries.relative_to(artefacts.nettools)}",
            f"export XTABLES_LIBDIR=$home/{libraries.relative_to(artefacts.nettools)}/xtables",
            f'exec $home/{tools.relative_to(artefacts.nettools)}/{command} "$@"',
            "",
        )
        (wrappers / name).write_text("\n".join(lines))
        (wrappers / name).chmod(0o755)
