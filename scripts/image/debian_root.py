"""A root file system with Python 3.11 and little else, of Debian 12's packages: a base for where no registry is.

Nothing is installed on this machine. A base from a registry (BASE=…) does as well; the Dockerfile needs of it a POSIX
shell, find, and python3 with venv.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from scripts.image.commands import call

# Python and the libraries of its standard modules, what its venv installs pip from, the C++ library that wheels need,
# and busybox for a shell and the small programs.
PACKAGES = (
    *("python3.11", "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib"),
    *("python3.11-venv", "python3-pip-whl", "python3-setuptools-whl"),
    *("libc6", "libcrypt1", "libgcc-s1", "libstdc++6", "zlib1g", "libbz2-1.0", "liblzma5"),
    *("libexpat1", "libffi8", "libsqlite3-0", "libssl3", "libuuid1"),
    *("base-files", "busybox-static", "ca-certificates", "media-types", "tzdata"),
)
NOT_NEEDED = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/python3")
MERGED = ("bin", "sbin", "lib", "lib64")
REMEDY = "Debian 12 with a mirror in reach makes the base; elsewhere name one of your own: make image BASE=…"


def download(into: Path) -> tuple[Path, ...]:
    """Debian's packages as files, by an apt state of our own: neither root nor an earlier update is needed."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (into / part).mkdir(parents=True)
    options = {
        "Dir::State": into / "state",
        "Dir::Cache": into / "cache",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Debug::NoLocking": "1",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    call([*apt, "update"], within=into, remedy=REMEDY)
    call([*apt, "download", *PACKAGES], within=into, remedy=REMEDY)
    return tuple(sorted(into.glob("*.deb")))


def unpack(packages: tuple[Path, ...], root: Path) -> None:
    """Lay the packages' files out under `root`, list them as dpkg would, and make it a system that starts Python."""
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in packages:
        # dpkg-deb -x would put a folder in the place of the link /bin.
        unpacking = 'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink'
        call(["bash", "-o", "pipefail", "-c", unpacking, package, root], within=root, remedy=REMEDY)
    for name in NOT_NEEDED:
        shutil.rmtree(root / name, ignore_errors=True)
    _list_as_installed(packages, root)
    _settle(root)


def _list_as_installed(packages: tuple[Path, ...], root: Path) -> None:
    """Write dpkg's list, which is how scanners and our own bill of materials know what a Debian system holds."""
    entries = []
    for package in packages:
        fields = call(["dpkg-deb", "--field", package], within=root, remedy=REMEDY).strip()
        entries.append(fields.replace("\n", "\nStatus: install ok installed\n", 1))
    status = root / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True, exist_ok=True)
    status.write_text("\n\n".join(entries) + "\n")


def _settle(root: Path) -> None:
    """What the packages' own scripts would have done."""
    (root / "usr/bin/python3").symlink_to("python3.11")
    busybox = root / "usr/bin/busybox"
    for applet in call([busybox, "--list"], within=root, remedy=REMEDY).split():
        if not (root / "usr/bin" / applet).exists() and not (root / "usr/sbin" / applet).exists():
            (root / "usr/bin" / applet).symlink_to("busybox")
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(certificate.read_text() for certificate in certificates))
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text("root:x:0:\n")
    (root / "tmp").mkdir(mode=0o1777, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    call(["/sbin/ldconfig", "-r", root], within=root, remedy=REMEDY)
