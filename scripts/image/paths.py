"""Where things are: the checkout, what the Dockerfile is given, and the cache that outlives a checkout."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
GIVEN = CHECKOUT / "dist" / "image"  # what the Dockerfile copies with WHEELS=given
SOURCES = ("slo", "scenarios", "analysis", "loadtest")
LOCK = CHECKOUT / "requirements" / "pod.txt"


def cache() -> Path:
    """The folder that everything slow to make is kept in."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "golive"


def images() -> Path:
    """The part of the cache for images: finished archives, and buildah's own store."""
    return cache() / "images"
