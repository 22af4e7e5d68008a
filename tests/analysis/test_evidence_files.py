"""Pulled series written and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence_files import Asked, Pulled, read_answer, write_answer
from slo.evidence import NotSeen
from tests.fakes import samples

ASKED = Asked(query="up", server="http://x", start_unix_s=1.0, end_unix_s=9.0, step_s=1.0, fetched_unix_s=10.0)
SAMPLES = st.lists(st.tuples(st.floats(0, 2e9), st.floats()), max_size=8)
LABELS = st.dictionaries(st.text(), st.text(), max_size=3)


@given(st.lists(st.tuples(LABELS, SAMPLES), max_size=3))
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[dict[str, str], list[tuple[float, float]]]]
) -> None:
    folder = tmp_path_factory.mktemp("evidence")
    written = tuple(samples(labels, [at for at, _ in line], [value for _, value in line]) for labels, line in lines)
    write_answer(folder, "x", ASKED, written)
    answer = read_answer(folder, "x")
    assert isinstance(answer, Pulled)
    assert answer.asked == ASKED
    for one, other in zip(answer.series, written, strict=True):
        assert one.labels == other.labels
        np.testing.assert_array_equal(one.at_unix_s, other.at_unix_s)
        np.testing.assert_array_equal(one.values, other.values)


def test_a_reason_is_read_back_as_not_seen(tmp_path: Path) -> None:
    write_answer(tmp_path, "x", ASKED, NotSeen("it was night"))
    assert read_answer(tmp_path, "x") == NotSeen("it was night")


def test_what_was_never_pulled_is_not_seen(tmp_path: Path) -> None:
    assert read_answer(tmp_path, "x") == NotSeen("evidence/x.json was not pulled")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"result": 3}', '{"query": "up", "result": [{}]}'])
def test_a_damaged_file_is_not_seen(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    answer = read_answer(tmp_path, "x")
    assert isinstance(answer, NotSeen)
    assert "cannot be read" in answer.because
