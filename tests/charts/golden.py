"""The renderings that are kept and compared: `python -m tests.charts.golden` writes them again."""

from __future__ import annotations

from pathlib import Path

from tests.charts.helm import rendered, value_sets
from tests.charts.places import GOLDEN


def kept(value_set: str) -> Path:
    """Where the rendering with these values is kept."""
    return GOLDEN / f"{value_set}.yaml"


def main() -> None:
    """Write all of them, and drop those without values."""
    for old in GOLDEN.glob("*.yaml"):
        old.unlink()
    for value_set in value_sets():
        kept(value_set).write_text(rendered(value_set))


if __name__ == "__main__":
    main()
