"""Whether somebody's locustfile can be run at all, found out before anything is raised: a word instead of a log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from loadtest.processes import CONNECT_WITHIN_S
from scenarios.errors import PlanError

LOOK = (sys.executable, "-m", "loadtest.locustfile_look")
REMEDIES = {
    "ModuleNotFoundError": "Install the package where golive is installed, or put the module beside the locustfile.",
    "SystemExit": "The file ends its own process when it is loaded; give it what it asks for.",
    "KeyError": "Is it an environment variable? Set it before `golive run`; all but LOCUST_* reach the locustfile.",
    "FileNotFoundError": "Locust starts in the folder that golive was called in; name the file from there, or by "
    "pathlib.Path(__file__).",
}


def check_locustfile(locustfile: str, *, in_pods: bool = False) -> str:
    """Raise PlanError for a file that has no users to start; returns what is to be told of it, in words.

    in_pods: it is loaded elsewhere, with packages and variables that this machine may lack: that is no mistake.
    """
    seen = look_at(locustfile)
    if raised := seen.get("raised"):
        if in_pods:
            return f"not checked: the locustfile cannot be loaded here, {_words_of(raised)}"
        raise PlanError(_words_of(raised), remedy=REMEDIES.get(raised["kind"], "Mend the locustfile."))
    users = seen["users"]
    if not users:
        raise PlanError(
            f"{locustfile} has no User class that Locust would start.",
            remedy="Write one, `class Guest(HttpUser)`; one with `abstract = True` is only a base of others.",
        )
    if idle := [user["name"] for user in users if user["idle"]]:
        raise PlanError(
            f"{locustfile}: {', '.join(idle)} has no tasks: its users would do nothing but raise.",
            remedy="Give it a method with @task or `tasks`; mark what is only a base of others `abstract = True`.",
        )
    if unrun := [f"{user['name']}: {', '.join(user['unrun'])}" for user in users if user["unrun"]]:
        raise PlanError(
            f"{locustfile}: tasks with `yield` or `async` are never run by Locust: {'; '.join(unrun)}.",
            remedy="Write `def` and call what they need; Locust's users wait without `await`.",
        )
    if seen["options"]:
        raise PlanError(
            f"{locustfile}: Locust's command line refuses to start with it: {seen['options']}.",
            remedy="Give its own options a `default`: golive passes none on. A locust.conf in this folder counts too.",
        )
    hosts = {user["name"]: user["host"] for user in users}
    if problem := too_many_hosts(hosts.values()):
        raise PlanError(f"{locustfile} {problem}.", remedy=ONE_TARGET)
    return replaced_hosts(hosts)


def look_at(locustfile: str) -> dict[str, Any]:
    """What the file holds, by loading it once more, as each Locust process will."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "seen.json"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")}
        try:
            subprocess.run(
                [*LOOK, locustfile, str(told)], env=environment, timeout=CONNECT_WITHIN_S, check=False,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise PlanError(
                f"{locustfile} is not loaded within {CONNECT_WITHIN_S} s: no worker would be ready in time.",
                remedy="Do what takes long in a listener of `test_start`, or once beforehand into a file.",
            ) from None
        if not told.exists():
            raise PlanError(
                f"{locustfile} ends Python itself when it is loaded.",
                remedy="Load it with `python -c 'import …'` to see why.",
            )
        return dict(json.loads(told.read_text(encoding="utf-8")))


ONE_TARGET = "A run has one target. Split the file by host, or leave `host` out to send all to the target."


def too_many_hosts(hosts: Iterable[str]) -> str:
    """Why the users cannot all be sent to one target; empty when they can.

    Locust's --host takes the place of every class's own. Of one host that is what people expect: a default for their
    own machine. Of several it would send to the target what is meant for another service.
    """
    several = sorted({host.rstrip("/") for host in hosts if host})
    return f"names several hosts, {', '.join(several)}" if len(several) > 1 else ""


def replaced_hosts(hosts: Mapping[str, str]) -> str:
    """Which classes' own host the target replaces, in words; empty for none."""
    named = [f"{name} ({host})" for name, host in hosts.items() if host]
    return f"The target takes the place of the host of {', '.join(named)}, as Locust's --host does." if named else ""


def _words_of(raised: Mapping[str, Any]) -> str:
    where = f"{raised['file']}:{raised['line']}" if raised["line"] else raised["file"]
    line = f" (in `{raised['text']}`)" if raised["text"] else ""
    return f"{where}: {raised['kind']}: {raised['said']}{line}"
