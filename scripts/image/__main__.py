"""`python -m scripts.image [golive|platform]`: build the images and say where they are."""

from __future__ import annotations

import argparse
import sys

from scenarios.errors import HarnessError
from scripts.image.build import IMAGES, build_image


def main() -> int:
    """Build what was asked for; print a line for each image."""
    asked = argparse.ArgumentParser(prog="python -m scripts.image", description=__doc__)
    asked.add_argument("targets", nargs="*", choices=[*IMAGES, []], help="default: both")
    asked.add_argument("--base", default="", help="an image to build on (default: one made of Debian's packages)")
    options = asked.parse_args()
    for target in options.targets or IMAGES:
        try:
            built = build_image(target, base=options.base)
        except HarnessError as wrong:
            print(f"golive: {wrong}", file=sys.stderr)  # noqa: T201
            return wrong.exit_code
        print(f"{built.name}\t{built.archive}\t{built.archive.stat().st_size / 1e6:.0f} MB\t{built.sbom}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
