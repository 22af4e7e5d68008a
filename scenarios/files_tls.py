"""The client certificate and key that a plan names, read where the master runs. No message repeats a key."""

from __future__ import annotations

import os
from pathlib import Path

from scenarios.errors import PlanError
from scenarios.transport import ClientIdentity, Tls


def read_client_identity(tls: Tls) -> ClientIdentity:
    """The certificate from its file, the key from its file or the environment; empty when the plan names none."""
    if not tls.client_certificate_file:
        return ClientIdentity()
    return ClientIdentity(
        certificate_pem=_text(tls.client_certificate_file, "tls.client_certificate_file"), key_pem=_key(tls)
    )


def _key(tls: Tls) -> str:
    if tls.client_key_file:
        return _text(tls.client_key_file, "tls.client_key_file")
    key = os.environ.get(tls.client_key_env, "")
    if not key:
        raise PlanError(
            f"`tls.client_key_env`: {tls.client_key_env} is not set.",
            remedy="Set it to the key's PEM; it is never written down.",
        )
    return key


def _text(path: str, where: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError as wrong:
        raise PlanError(f"`{where}`: {path}: {wrong.strerror or wrong}.", remedy="Name a PEM file.") from wrong
    except ValueError:
        raise PlanError(f"`{where}`: {path}: is no PEM text.", remedy="Name a PEM file.") from None
