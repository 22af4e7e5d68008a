"""What ARCHITECTURE.md and CONTRIBUTING.md promise of the tree, and import-linter cannot see."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("loadtest", "analysis", "scenarios", "slo")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
RUST = sorted(path for path in (ROOT / "engine").rglob("*.rs") if "target" not in path.parts)
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "misc", "types", "manager"}
LONGEST_LINES = 400


def called(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*MODULES, *RUST], ids=called)
def test_no_module_is_longer_than_people_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_LINES


@pytest.mark.parametrize("path", [*MODULES, *RUST], ids=called)
def test_files_are_named_for_what_they_know(path: Path) -> None:
    assert path.stem not in NAMELESS


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=called)
def test_every_module_says_its_idea_first(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert docstring.splitlines()[0].endswith(".")


def test_no_document_names_a_machine_or_a_download_host() -> None:
    told = [path for path in ROOT.rglob("*.md") if not {".venv", "target", "results"} & set(path.parts)]
    locks = [*ROOT.glob("requirements/*.txt"), ROOT / "engine" / "Cargo.lock"]
    for path in [*told, *locks]:
        text = path.read_text()
        for name in ("/work/", "artifactory", "files.pythonhosted", "--index-url http"):
            assert name not in text, f"{called(path)} names {name}"


def test_the_documents_that_are_linked_exist() -> None:
    import re

    for page in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert "://" in link or (ROOT / link).exists(), f"{page.name} links {link}"


def test_python_and_rust_are_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    engine = tomllib.loads((ROOT / "engine" / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    assert project == engine
