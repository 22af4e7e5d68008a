"""What this golive is made of."""

from __future__ import annotations

import platform
from importlib import metadata

from loadtest import _engine

VERSION = "0.1.0"


def own_versions() -> dict[str, str]:
    """What this golive is made of."""
    parts = {name: metadata.version(name) for name in ("locust", "gevent", "numpy")}
    return {"golive": VERSION, "engine": _engine.version(), "python": platform.python_version(), **parts}
