"""The pytest fixtures `golive_image` and `golive_platform_image`: the Dockerfile's images as archives, built once for
each content of what they are made of."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import pytest

from scripts.image.build import Built, build_image

FIXTURES = {"golive_image", "golive_platform_image", "golive_build", "golive_platform_build"}
BUILT_WITHIN_S = 3600  # the first time of all: packages, the engine, the platform, and for some tests a cluster besides


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses an image as slow, and give it the time to be built, which takes the whole machine."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.alone)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(BUILT_WITHIN_S))


@pytest.fixture(scope="session")
def golive_build() -> Built:
    """The image of a run's pods, with its bill of materials."""
    return built("golive")


@pytest.fixture(scope="session")
def golive_platform_build() -> Built:
    """The image of the rehearsal platform, with its bill of materials."""
    return built("platform")


@pytest.fixture(scope="session")
def golive_image(golive_build: Built) -> Path:
    """The archive of localhost/golive:test."""
    return golive_build.archive


@pytest.fixture(scope="session")
def golive_platform_image(golive_platform_build: Built) -> Path:
    """The archive of localhost/golive-platform:test."""
    return golive_platform_build.archive


def built(target: str) -> Built:
    """Build, or say in one line why not here."""
    why_not = cannot_build()
    if why_not:
        pytest.skip(f"images are not built here: {why_not}")
    return build_image(target)


def cannot_build() -> str:
    """Why this machine cannot build the images without a registry; empty when it can."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "that takes root on Linux"
    missing = [tool for tool in ("buildah", "apt-get", "dpkg-deb", "cargo") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} missing (Debian: apt-get install buildah)"
    system = platform.freedesktop_os_release()
    if (system.get("ID"), system.get("VERSION_ID")) != ("debian", "12"):
        return f"the base is made of Debian 12's packages, and this is {system.get('PRETTY_NAME', 'another system')}"
    return ""
