"""How a bill of materials is read from what tools say, without an image."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from scripts.image.sbom import debian_packages, document, python_packages, rust_crates, wheel_hashes

NORMAL, FOR_TESTS, FOR_BUILDING = None, "dev", "build"
names = st.from_regex(r"[a-z0-9][a-z0-9.-]{1,20}", fullmatch=True)
versions = st.from_regex(r"([0-9]:)?[0-9][0-9a-z.+~-]{0,15}", fullmatch=True)


def crate(name: str, **needs: str | None) -> dict[str, Any]:
    deps = [{"pkg": need.replace("_", "-"), "dep_kinds": [{"kind": kind}]} for need, kind in needs.items()]
    return {"package": {"id": name, "name": name, "version": "1.0.0", "license": "MIT/Apache-2.0"}, "deps": deps}


def crates_in(root: str, *crates: dict[str, Any]) -> dict[str, dict[str, Any]]:
    metadata = {
        "packages": [each["package"] for each in crates],
        "resolve": {"nodes": [{"id": each["package"]["id"], "deps": each["deps"]} for each in crates]},
    }
    lock = {"package": [{"name": each["package"]["name"], "version": "1.0.0", "checksum": "ab"} for each in crates]}
    return {found["name"]: found for found in rust_crates(metadata, lock, root)}


def test_crates_that_only_tests_and_build_scripts_need_are_in_no_image() -> None:
    found = crates_in(
        "ours",
        crate("ours", direct=NORMAL, tests=FOR_TESTS, builder=FOR_BUILDING),
        crate("direct", deeper=NORMAL),
        *(crate(name) for name in ("deeper", "tests", "builder", "elsewhere")),
    )
    assert set(found) == {"ours", "direct", "deeper"}


def test_a_crates_licence_of_the_old_kind_is_told_as_an_expression() -> None:
    assert crates_in("ours", crate("ours"))["ours"]["licenses"] == [{"expression": "MIT OR Apache-2.0"}]


def test_a_licence_that_is_no_expression_is_told_by_its_name(tmp_path: Path) -> None:
    installed(tmp_path, "Old_Package", "Classifier: License :: OSI Approved :: MIT License")
    (found,) = python_packages(tmp_path, {})
    assert found["name"] == "old-package"
    assert found["licenses"] == [{"license": {"name": "MIT License"}}]


def test_an_expression_is_trusted_more_than_a_classifier(tmp_path: Path) -> None:
    told = "License-Expression: (MIT OR Apache-2.0) AND Unicode-3.0\nClassifier: License :: OSI Approved :: MIT License"
    installed(tmp_path, "package", told)
    (found,) = python_packages(tmp_path, {})
    assert found["licenses"] == [{"expression": "(MIT OR Apache-2.0) AND Unicode-3.0"}]


def test_a_package_carries_the_hash_of_the_wheel_that_it_came_from(tmp_path: Path) -> None:
    installed(tmp_path, "Some.Package", "Summary: nothing")
    (tmp_path / "some_package-1.0-py3-none-any.whl").write_bytes(b"wheel")
    (found,) = python_packages(tmp_path, wheel_hashes(tmp_path))
    assert found["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"wheel").hexdigest()}]


@given(st.dictionaries(names, versions, max_size=6), st.dictionaries(names, versions, max_size=6))
def test_debian_packages_are_those_that_are_installed(installed: dict[str, str], removed: dict[str, str]) -> None:
    states = [("install ok installed", installed), ("deinstall ok config-files", removed)]
    status = "\n\n".join(
        f"Package: {name}\nStatus: {state}\nArchitecture: amd64\nDescription: it\n Package: x\nVersion: {version}"
        for state, packages in states
        for name, version in packages.items()
    )
    found = list(debian_packages(status, {"ID": "debian", "VERSION_ID": "12"}))
    assert {part["name"]: part["version"] for part in found} == installed
    assert all(part["purl"].endswith("?arch=amd64&distro=debian-12") for part in found)


def test_the_same_parts_in_any_order_are_the_same_document() -> None:
    parts = list(crates_in("ours", crate("ours", direct=NORMAL), crate("direct")).values())
    assert document("golive", "1", parts) == document("golive", "1", [*reversed(parts), parts[0]])
    assert document("golive", "1", parts)["serialNumber"] != document("golive", "1", parts[:1])["serialNumber"]


def installed(site: Path, name: str, told: str) -> None:
    folder = site / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{told}\n")
