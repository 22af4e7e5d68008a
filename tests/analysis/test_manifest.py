"""The manifest: every file of a record, and what became of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from analysis.manifest import changed_since_closed, release, unlike_manifest, write_manifest
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
    assert changed_since_closed(folder) == ()


def test_what_was_changed_after_the_end_stays_told_however_often_it_is_judged(folder: Path) -> None:
    (folder / "run.json").write_text("changed")
    (folder / "evidence" / "up.json").unlink()
    told = ("evidence/up.json was taken away after the run had ended", "run.json was changed after the run had ended")
    assert changed_since_closed(folder) == told
    write_manifest(folder)
    assert changed_since_closed(folder) == told


def test_what_judging_writes_may_change_and_new_files_may_come(folder: Path) -> None:
    for content in ("first", "second"):
        (folder / "verdict.json").write_text(content)
        assert changed_since_closed(folder) == ()
        write_manifest(folder)
        assert unlike_manifest(folder) == ()


def test_a_record_that_still_grows_is_held_to_nothing(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    write_manifest(folder, closed=False)
    (folder / "run.json").write_text("more")
    assert changed_since_closed(folder) == ()
    write_manifest(folder)
    assert unlike_manifest(folder) == ()


def test_evidence_that_is_gathered_anew_is_held_to_what_it_was_no_longer(folder: Path) -> None:
    release(folder, "evidence")
    (folder / "evidence" / "up.json").write_text("newer")
    assert changed_since_closed(folder) == ()
    write_manifest(folder)
    (folder / "evidence" / "up.json").write_text("changed")
    assert changed_since_closed(folder) == ("evidence/up.json was changed after the run had ended",)


@pytest.mark.parametrize("content", ["", "[]", '{"sha256": 3}'])
def test_of_a_manifest_that_cannot_be_read_it_is_said_that_nothing_can_be_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    (told,) = changed_since_closed(tmp_path)
    assert "cannot be told" in told
    with pytest.raises(RecordUnreadable):
        unlike_manifest(tmp_path)
    write_manifest(tmp_path)
    assert unlike_manifest(tmp_path) == ()


def test_without_a_manifest_a_copy_cannot_be_held_against_it(tmp_path: Path) -> None:
    with pytest.raises(RecordUnreadable):
        unlike_manifest(tmp_path)
    assert changed_since_closed(tmp_path) == ()
