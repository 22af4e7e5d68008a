"""The rehearsal platform's image: one program that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.image.build import Built, build_image
from tests.image.unpacked import Unpacked, unpacked


@pytest.fixture(scope="module")
def image(golive_platform_image: Path) -> Iterator[Unpacked]:
    with unpacked(golive_platform_image) as laid_out:
        yield laid_out


def test_it_holds_one_program_and_its_bill_of_materials(image: Unpacked) -> None:
    files = {str(path.relative_to(image.root)) for path in image.root.rglob("*") if not path.is_dir()}
    assert files == {"usr/bin/golive-rehearsal", "opt/golive/sbom.cdx.json"}


def test_the_program_runs_where_there_is_no_c_library(image: Unpacked) -> None:
    told = image.run(*image.config["Entrypoint"])
    assert told.returncode == 2
    assert "--config is missing" in told.stderr


def test_its_user_has_no_rights(image: Unpacked) -> None:
    assert image.config["User"] == "10001:10001"


def test_the_same_sources_are_not_built_twice(golive_platform_build: Built) -> None:
    before = golive_platform_build.archive.stat()
    again = build_image("platform").archive.stat()
    assert (again.st_ino, again.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
