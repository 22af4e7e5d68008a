"""The bills of materials: valid CycloneDX, and what they list is what the images hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.image.build import SBOM, Built
from tests.image.unpacked import Unpacked, unpacked

LIST_INSTALLED = """
import re
from importlib.metadata import distributions
print(*sorted(f"{re.sub('[-_.]+', '-', found.name).lower()}=={found.version}" for found in distributions()))
"""


@pytest.fixture(scope="module")
def image(golive_build: Built) -> Iterator[Unpacked]:
    with unpacked(golive_build.archive) as laid_out:
        yield laid_out


def bill(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def listed(path: Path, kind: str) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in bill(path)["components"] if part["purl"].startswith(f"pkg:{kind}/")}


def problem_with(document: str) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(document)


def test_both_bills_follow_the_schema(golive_build: Built, golive_platform_build: Built) -> None:
    for built in (golive_build, golive_platform_build):
        assert problem_with(built.sbom.read_text()) is None


def test_a_bill_that_does_not_follow_the_schema_would_be_noticed(golive_build: Built) -> None:
    wrong = bill(golive_build.sbom)
    del wrong["components"][0]["name"]
    assert problem_with(json.dumps(wrong)) is not None


def test_the_bill_beside_the_image_is_the_one_inside(golive_build: Built, image: Unpacked) -> None:
    assert (image.root / "opt/golive" / SBOM).read_bytes() == golive_build.sbom.read_bytes()


def test_it_lists_the_python_packages_that_the_image_holds(golive_build: Built, image: Unpacked) -> None:
    packages = listed(golive_build.sbom, "pypi")
    told = image.run("/opt/golive/bin/python", "-c", LIST_INSTALLED)
    assert sorted(f"{name}=={part['version']}" for name, part in packages.items()) == told.stdout.split()
    assert {"golive", "locust"} <= set(packages)
    assert all(part["hashes"] and part["licenses"] for part in packages.values())


def test_it_lists_the_crates_that_are_compiled_in_and_no_others(golive_build: Built) -> None:
    crates = listed(golive_build.sbom, "cargo")
    assert {"tokio", "hdrhistogram", "golive-sender"} <= set(crates)
    assert not {"proptest", "golive-platform"} & set(crates)
    assert crates["tokio"]["hashes"][0]["alg"] == "SHA-256"
    assert crates["tokio"]["licenses"] == [{"expression": "MIT"}]


def test_it_lists_debians_packages_and_python_itself(golive_build: Built, image: Unpacked) -> None:
    packages = listed(golive_build.sbom, "deb")
    status = (image.root / "var/lib/dpkg/status").read_text()
    assert len(packages) == status.count("\nStatus: install ok installed\n")
    assert "libssl3" in packages
    assert listed(golive_build.sbom, "generic")["cpython"]["version"].startswith("3.11.")


def test_the_platforms_bill_lists_its_own_crates(golive_platform_build: Built) -> None:
    crates = listed(golive_platform_build.sbom, "cargo")
    assert {"golive-platform", "httparse"} <= set(crates)
    assert not {"tokio", "proptest"} & set(crates)
