"""Contents have names: what is built of the same files is found again, and of no others."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scripts.image.fingerprint import of_files, of_words


def tree(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_every_name_and_every_byte_counts(tmp_path: Path) -> None:
    before = of_files(tree(tmp_path, a="one", b="two"))
    assert of_files(tree(tmp_path, b="twO")) != before
    assert of_files(tree(tmp_path, b="two")) == before
    (tmp_path / "b").rename(tmp_path / "c")
    assert of_files(tmp_path) != before


def test_what_is_made_from_sources_does_not_count(tmp_path: Path) -> None:
    before = of_files(tree(tmp_path, a="one"))
    made = {"__pycache__/a.pyc": "", "engine.so": "", "target/release/program": ""}
    assert of_files(tree(tmp_path, **made)) == before


def test_bytes_that_move_from_one_file_to_the_next_count(tmp_path: Path) -> None:
    assert of_files(tree(tmp_path / "x", a="1", b="23")) != of_files(tree(tmp_path / "y" / "x", a="12", b="3"))


@given(st.lists(st.text(alphabet="ab\n "), max_size=4), st.lists(st.text(alphabet="ab\n "), max_size=4))
def test_words_have_one_name_each(some: list[str], others: list[str]) -> None:
    assert (of_words(*some) == of_words(*others)) == (some == others)
