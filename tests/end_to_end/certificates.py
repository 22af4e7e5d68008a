"""Authorities and certificates for servers and clients of the tests, by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def an_authority(folder: Path, name: str) -> None:
    """A self-made authority: NAME.pem and NAME.key."""
    _openssl(
        folder, "req", "-x509", *NEW_KEY, "-days", "2", "-subj", f"/CN={name}",
        "-keyout", f"{name}.key", "-out", f"{name}.pem",
    )  # fmt: skip


def a_certificate(folder: Path, name: str, *, by: str) -> None:
    """NAME.pem and NAME.key, made out by an authority; good for 127.0.0.1."""
    _openssl(folder, "req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl(
        folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-days", "2",
        "-extfile", "names", "-out", f"{name}.pem",
    )  # fmt: skip


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
