"""Which core is whose: the target has one, the generator the other."""

from __future__ import annotations

import os
from collections.abc import Mapping

TARGET_CORE = 0
GENERATOR_CORE = 1


def pinned(core: int, command: list[str]) -> list[str]:
    """The command on one core, threads and children included."""
    return ["taskset", "-c", str(core), *command]


def clean_environment(more: Mapping[str, str]) -> dict[str, str]:
    """This environment without what Locust would take for options (LOCUST_*), and more."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")} | dict(more)
