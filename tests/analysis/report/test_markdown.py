import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from analysis.report.markdown import code, markdown, plain
from tests.analysis.report.clusters import HOSTILE
from tests.analysis.report.gallery import GALLERY, passed
from tests.analysis.report.runs import run_of


def test_the_verdict_and_the_rehearsal_come_first(tmp_path: Path) -> None:
    lines = markdown(passed(tmp_path / "run").page()).splitlines()
    assert lines[0] == "# PASSED (REHEARSAL): 30k"
    assert lines[2] == "> **REHEARSAL.** This proves golive and the plan, not your platform."


def test_every_objective_is_a_row_with_its_because_below(tmp_path: Path) -> None:
    text = markdown(passed(tmp_path / "run").page())
    assert "| **MET** | p95 | P95 \\< 450 ms | 187 ms |" in text
    assert "- p95: 5,386,500 of 5,670,000 answered within 187 ms" in text


def test_all_tables_have_rows_as_wide_as_their_heads(tmp_path: Path) -> None:
    for name, made in GALLERY.items():
        blocks = re.findall(r"(?:^\|.*\n)+", markdown(made(tmp_path / name).page()), flags=re.M)
        for block in blocks:
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}) == 1, (name, block)


def test_no_outside_text_becomes_markup(tmp_path: Path) -> None:
    text = markdown(GALLERY["hostile"](tmp_path / "run").page())
    outside_code = re.sub(r"(`+).+?\1", "", re.sub(r"\\.", "", text))
    assert "<img" not in outside_code
    assert plain(HOSTILE) in text


@given(st.text())
def test_a_value_stays_on_its_line_and_in_its_cell(value: str) -> None:
    written = plain(value)
    assert len(written.splitlines()) <= 1
    assert not re.search(r"(?<!\\)(?:\\\\)*[|<>`\[]", written)


def test_commands_keep_their_backticks() -> None:
    assert code("echo `date`") == "`` echo `date` ``"


def test_it_is_written_beside_the_html(tmp_path: Path) -> None:
    run_of(tmp_path / "run").render()
    assert {"report.html", "report.md"} <= {path.name for path in (tmp_path / "run").iterdir()}
    assert not list((tmp_path / "run").glob("*.new"))
