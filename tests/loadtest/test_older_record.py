"""A record of an older golive, kept as it was written (tests/analysis/older_record): today's golive reads it.

It is of the first days: no slowest requests, no addresses, no open handles, nothing of the master. A format that
changes in a way that this test cannot bear needs a new format number (docs/record.md).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from loadtest.verdicts import conclude

KEPT = Path(__file__).parents[1] / "analysis" / "older_record"
# Neither the words nor the intervals, whose reckoning may be refined.
SAID = (
    "objective",
    "outcome",
    "target",
    "measured",
    "required",
    "server_side",
    "voided_by",
)


@pytest.fixture
def judged_again(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(KEPT, folder)
    (folder / "verdict.json").unlink()
    conclude(folder)
    return folder


def test_every_objective_is_judged_as_it_was_then(judged_again: Path) -> None:
    then, now = (json.loads((folder / "verdict.json").read_text()) for folder in (KEPT, judged_again))
    assert (now["outcome"], now["exit_code"], now["findings"]) == (then["outcome"], then["exit_code"], then["findings"])
    assert [said(judgement) for judgement in now["judgements"]] == [said(judgement) for judgement in then["judgements"]]


def test_the_report_says_what_was_not_kept_yet(judged_again: Path) -> None:
    report = (judged_again / "report.md").read_text()
    assert report.split("## The slowest requests\n")[1].strip().startswith("None was kept.")


def said(judgement: dict[str, object]) -> dict[str, object]:
    return {name: judgement[name] for name in SAID}
