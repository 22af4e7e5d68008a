"""The lock of what the image installs: a part of the lock that everything else is tested with."""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

from scripts.image.paths import CHECKOUT, LOCK
from tests.image.pod_imports import packages_that_the_pods_import

REQUIREMENTS = CHECKOUT / "requirements"


def locked(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes by package."""
    entries = re.split(r"\n(?=[\w.-]+==)", path.read_text())[1:]
    pins = [re.match(r"([\w.-]+)==(\S+)", entry) for entry in entries]
    hashes = [frozenset(re.findall(r"--hash=(\S+)", entry)) for entry in entries]
    return {pin[1]: (pin[2], found) for pin, found in zip(pins, hashes, strict=True) if pin}


def test_what_the_pods_import_is_asked_for() -> None:
    asked = {line.split("#")[0].strip() for line in (REQUIREMENTS / "pod.in").read_text().splitlines()}
    distributions = packages_distributions()
    imported = {distributions[name][0].lower().replace("_", "-") for name in packages_that_the_pods_import()}
    assert imported <= asked


def test_the_pods_packages_are_those_that_everything_is_tested_with() -> None:
    pods, everything = locked(LOCK), locked(REQUIREMENTS / "run.txt")
    assert "locust" in pods
    assert pods.items() <= everything.items()


def test_what_builds_the_wheel_is_locked_as_well() -> None:
    assert locked(REQUIREMENTS / "build.txt").items() <= locked(REQUIREMENTS / "run.txt").items()


def test_an_image_leaves_out_what_only_people_use() -> None:
    assert not {"matplotlib", "typer", "maturin", "pillow"} & set(locked(LOCK))
