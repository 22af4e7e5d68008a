"""What must be so before the first packet is sent: file handles, ports, disk, a target that takes connections."""

from __future__ import annotations

import resource
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from loadtest.local_ports import check_ports, ports_of
from scenarios.errors import PreflightFailed
from scenarios.plan import Plan

SPARE_HANDLES = 256  # Locust, logs, libraries
BYTES_PER_SECOND_AND_REQUEST = 1_500  # a second of one request's counts and histogram in the record, with room
SPARE_BYTES = 50_000_000
CONNECT_WITHIN_S = 3.0


def check(plan: Plan, results: Path) -> tuple[str, ...]:
    """What may spoil the run on this machine, in words. Raises PreflightFailed for the first thing that would."""
    raise_file_handles(plan.sending.connections + SPARE_HANDLES)
    warning = check_ports(plan, ports_of(plan))
    check_disk(plan, free_bytes=shutil.disk_usage(_existing(results)).free, where=results)
    check_reachable(plan.target.url)
    return (warning,) if warning else ()


def check_writable(results: Path) -> None:
    """A record must be able to grow there: tried before anything is raised, by a file that is gone at once."""
    try:
        results.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=results).close()
    except OSError as refused:
        raise PreflightFailed(
            f"No record can be kept in {results}: {refused.strerror or refused}.",
            remedy="Name a folder that may be written with RESULTS= (--results).",
        ) from refused


def raise_file_handles(needed: int) -> None:
    """Raise this process's own limit (children inherit it), as far as the hard limit lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise PreflightFailed(
                f"A worker needs {needed:,} file handles; this machine allows {hard:,}.",
                remedy=f"Raise the limit (ulimit -n {needed}), or lower `sending.connections` in the plan.",
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def check_disk(plan: Plan, *, free_bytes: int, where: Path) -> None:
    """The record of the whole run must fit."""
    per_second = BYTES_PER_SECOND_AND_REQUEST * (len(plan.workload.kinds) + 2) * plan.workers
    needed = int(plan.longest_s * per_second) + SPARE_BYTES
    if free_bytes < needed:
        raise PreflightFailed(
            f"The record of this run takes up to {needed / 1e6:,.0f} MB; {where} has {free_bytes / 1e6:,.0f} MB left.",
            remedy="Free some space there, or name another folder with RESULTS=.",
        )


def check_reachable(url: str) -> None:
    """One connection, opened and closed: a target that is down is better known before than after."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_WITHIN_S).close()
    except OSError as refused:
        raise PreflightFailed(
            f"The target {parts.hostname}:{port} takes no connection: {refused.strerror or refused}.",
            remedy="Start it, or check the URL of its entry in targets.yaml.",
        ) from refused


def _existing(folder: Path) -> Path:
    """The nearest folder above that is there already."""
    folder = folder.resolve()
    while not folder.exists():
        folder = folder.parent
    return folder
