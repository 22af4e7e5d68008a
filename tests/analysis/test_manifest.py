"""The manifest: every file of a record, and what became of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from analysis.manifest import changed_since, write_manifest
from scenarios.errors import RecordUnreadable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "run.json").write_text("one")
    (tmp_path / "evidence" / "up.json").write_text("two")
    write_manifest(tmp_path)
    return tmp_path


def test_every_file_has_its_sha256(folder: Path) -> None:
    sums = json.loads((folder / "manifest.json").read_text())["sha256"]
    assert sums == {
        "evidence/up.json": hashlib.sha256(b"two").hexdigest(),
        "run.json": hashlib.sha256(b"one").hexdigest(),
    }


def test_an_untouched_record_is_as_it_was(folder: Path) -> None:
    assert changed_since(folder) == ()


def test_every_change_is_named(folder: Path) -> None:
    (folder / "run.json").write_text("changed")
    (folder / "evidence" / "up.json").unlink()
    (folder / "new.txt").write_text("")
    assert changed_since(folder) == ("changed: run.json", "missing: evidence/up.json", "added: new.txt")


def test_writing_it_again_takes_the_changes_as_they_are(folder: Path) -> None:
    (folder / "run.json").write_text("changed")
    write_manifest(folder)
    assert changed_since(folder) == ()


@pytest.mark.parametrize("content", [None, "", "[]", '{"sha256": 3}'])
def test_without_a_manifest_nothing_can_be_said(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(RecordUnreadable):
        changed_since(tmp_path)
