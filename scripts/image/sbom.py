"""The bill of materials of an image as CycloneDX 1.6 JSON: Python, its packages, Rust crates, Debian packages.

Runs inside the Dockerfile with nothing but the standard library. Equal contents give the same document: no clock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

Component = dict[str, Any]
LONGEST_LICENCE_NAME = 100
CLASSIFIER = "License :: OSI Approved :: "
EXPRESSION = re.compile(r"^\(*[\w.+-]+\)*( (AND|OR|WITH) \(*[\w.+-]+\)*)*$", re.ASCII)


def python_packages(site: Path, wheels: Mapping[str, str]) -> Iterator[Component]:
    """Every distribution installed in a folder, with the SHA-256 of the wheel that it came from where one is known."""
    for found in distributions(path=[str(site)]):
        name, version = _normal(found.name), found.version
        yield _component(
            "library",
            name,
            version,
            purl=f"pkg:pypi/{name}@{quote(version)}",
            sha256=wheels.get(f"{name}=={version}"),
            licences=_licences_of(found),
        )


def wheel_hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of each wheel in a folder, by `name==version`."""
    hashes = {}
    for wheel in folder.glob("*.whl"):
        name, version = wheel.name.split("-")[:2]
        hashes[f"{_normal(name)}=={version}"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
    return hashes


def rust_crates(metadata: Mapping[str, Any], lock: Mapping[str, Any], root: str) -> Iterator[Component]:
    """The crates that are compiled into one of ours, by cargo's own resolution; checksums are Cargo.lock's."""
    checksums = {(each["name"], each["version"]): each.get("checksum") for each in lock["package"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    for identity in sorted(_compiled_into(root, packages, metadata["resolve"]["nodes"])):
        package = packages[identity]
        name, version = package["name"], package["version"]
        licence = (package.get("license") or "").replace("/", " OR ")
        yield _component(
            "library",
            name,
            version,
            purl=f"pkg:cargo/{name}@{quote(version)}",
            sha256=checksums.get((name, version)),
            licences=_expression(licence) if licence else [],
        )


def debian_packages(status: str, release: Mapping[str, str]) -> Iterator[Component]:
    """What dpkg lists as installed."""
    distribution = f"{release.get('ID', 'debian')}-{release.get('VERSION_ID', '')}".rstrip("-")
    for paragraph in status.strip().split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").endswith(" installed"):
            name, version, machine = fields["Package"], fields["Version"], fields["Architecture"]
            purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={machine}&distro={distribution}"
            yield _component("library", name, version, purl=purl)


def interpreter() -> Component:
    """The Python that runs this, which is the image's."""
    version = platform.python_version()
    purl = f"pkg:generic/python@{version}"
    return _component("application", "cpython", version, purl=purl, licences=_expression("Python-2.0"))


def document(name: str, version: str, components: list[Component]) -> dict[str, Any]:
    """The whole bill: one image, made of these."""
    unique = {component["bom-ref"]: component for component in components}
    listed = [unique[reference] for reference in sorted(unique)]
    image = {"type": "container", "bom-ref": f"image:{name}", "name": name, "version": version}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([image, listed], sort_keys=True))
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": {**image, "licenses": _expression("Apache-2.0")}},
        "components": listed,
        "dependencies": [{"ref": image["bom-ref"], "dependsOn": sorted(unique)}],
    }


def _component(
    kind: str, name: str, version: str, *, purl: str, sha256: str | None = None, licences: list[Any] | None = None
) -> Component:
    found: Component = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": sha256}]
    if licences:
        found["licenses"] = licences
    return found


def _licences_of(found: Distribution) -> list[Any]:
    """A package's licence: its SPDX expression, its classifiers, or the name it gives, in that order of trust."""
    expression, classifiers, licences = (
        [str(value) for value in found.metadata.get_all(field) or []]
        for field in ("License-Expression", "Classifier", "License")
    )
    if expression:
        return _expression(expression[0])
    classified = [each.removeprefix(CLASSIFIER) for each in classifiers if each.startswith(CLASSIFIER)]
    named = classified or [text.strip().splitlines()[0] for text in licences if text.strip()]
    return [{"license": {"name": name[:LONGEST_LICENCE_NAME]}} for name in named]


def _expression(licence: str) -> list[Any]:
    """An SPDX expression where it reads as one, a name otherwise."""
    return [{"expression": licence}] if EXPRESSION.match(licence) else [{"license": {"name": licence}}]


def _compiled_into(root: str, packages: Mapping[str, Any], nodes: list[Any]) -> set[str]:
    """What is reached from a crate by normal dependencies: neither its tests' nor its build scripts'."""
    needs = {
        node["id"]: [dep["pkg"] for dep in node["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
        for node in nodes
    }
    waiting = [identity for identity, package in packages.items() if package["name"] == root]
    reached: set[str] = set()
    while waiting:
        identity = waiting.pop()
        if identity not in reached:
            reached.add(identity)
            waiting.extend(needs[identity])
    return reached


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _release_of(root: Path) -> dict[str, str]:
    lines = (root / "etc/os-release").read_text().splitlines()
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines)}


def _gather(told: argparse.Namespace) -> list[Component]:
    components: list[Component] = []
    wheels: dict[str, str] = {}
    for folder in told.wheels:
        wheels.update(wheel_hashes(folder))
    for site in told.site:
        components.extend(python_packages(site, wheels))
    metadata, lock = json.loads(told.crates.read_text()), tomllib.loads(told.lock.read_text())
    components.extend(rust_crates(metadata, lock, told.crate))
    if told.root:
        components.append(interpreter())
        status = told.root / "var/lib/dpkg/status"
        if status.is_file():
            components.extend(debian_packages(status.read_text(), _release_of(told.root)))
    return components


def main() -> None:
    """Write the bill of what the arguments name."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("name")
    asked.add_argument("version")
    asked.add_argument("--crates", type=Path, required=True, help="what `cargo metadata` says")
    asked.add_argument("--crate", required=True, help="ours, which the others are compiled into")
    asked.add_argument("--lock", type=Path, required=True, help="Cargo.lock")
    asked.add_argument("--site", type=Path, action="append", default=[], help="a folder of installed Python packages")
    asked.add_argument("--wheels", type=Path, action="append", default=[], help="the wheels that they came from")
    asked.add_argument("--root", type=Path, help="the root of the system that the image holds")
    asked.add_argument("--out", type=Path, required=True)
    told = asked.parse_args()
    told.out.write_text(json.dumps(document(told.name, told.version, _gather(told)), indent=1) + "\n")


if __name__ == "__main__":
    main()
