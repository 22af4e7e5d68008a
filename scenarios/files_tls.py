"""The certificates and keys that a plan or a target's entry names: found beside that file, read where the master runs.

No message repeats a key.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from scenarios.errors import PlanError
from scenarios.plan import Plan, Sending
from scenarios.transport import ClientIdentity, Tls

REMEDY = "Name a PEM file that is there; a relative path starts in the folder of the file that names it."


def tls_beside(file: Path, tls: Tls) -> Tls:
    """TLS with its paths as seen from anywhere: the relative ones start in the folder of the file that names them."""
    return replace(
        tls,
        client_certificate_file=_beside(file, tls.client_certificate_file),
        client_key_file=_beside(file, tls.client_key_file),
    )


def sending_beside(file: Path, sending: Sending) -> Sending:
    """Sending with its paths as seen from anywhere."""
    return replace(sending, trust_ca_file=_beside(file, sending.trust_ca_file), tls=tls_beside(file, sending.tls))


def check_tls_files(plan: Plan, *, where: str) -> None:
    """Hold the files that a run of this plan will read to be there; `where`: the plan's file."""
    read_ca(plan, where=f"{where}: ")
    of_tls = f"target {plan.target.name!r}: `tls." if plan.target.tls else f"{where}: `sending.tls."
    for key in ("client_certificate_file", "client_key_file"):
        if path := getattr(plan.tls, key):
            _text(path, f"{of_tls}{key}`")


def read_ca(plan: Plan, *, where: str = "") -> str:
    """The certificates that the plan trusts; "" for the system's own."""
    path = plan.sending.trust_ca_file
    return _text(path, f"{where}`sending.trust_ca_file`") if path else ""


def read_client_identity(tls: Tls) -> ClientIdentity:
    """The certificate from its file, the key from its file or the environment; empty when the plan names none."""
    if not tls.client_certificate_file:
        return ClientIdentity()
    return ClientIdentity(
        certificate_pem=_text(tls.client_certificate_file, "`tls.client_certificate_file`"), key_pem=_key(tls)
    )


def _beside(file: Path, path: str) -> str:
    return str((file.parent / path).absolute()) if path else ""


def _key(tls: Tls) -> str:
    if tls.client_key_file:
        return _text(tls.client_key_file, "`tls.client_key_file`")
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
        raise PlanError(f"{where}: {path}: {wrong.strerror or wrong}.", remedy=REMEDY) from wrong
    except ValueError:
        raise PlanError(f"{where}: {path}: is no PEM text.", remedy=REMEDY) from None
