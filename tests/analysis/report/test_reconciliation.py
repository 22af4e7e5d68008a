import dataclasses
from pathlib import Path

from analysis.report.reconciliation import reconciliation_table
from slo.evidence import Evidence, ServerLoad
from tests.analysis.report.runs import run_of


def both_sides(folder: Path, requests: float) -> Evidence:
    server = ServerLoad(source="up", requests=requests, errors=0, buckets=(), load_requests=2500)
    return dataclasses.replace(run_of(folder).evidence, server=server)


def test_both_counts_stand_side_by_side_with_their_difference(tmp_path: Path) -> None:
    rows = reconciliation_table(both_sides(tmp_path / "run", requests=2010)).rows
    assert rows[:2] == (
        ("Requests sent in the hold", "2,000", "2,010", "+0.5 %"),
        ("Requests sent over the whole load", "2,500", "2,500", "none"),
    )


def test_a_count_that_only_one_side_has_differs_by_no_share(tmp_path: Path) -> None:
    evidence = both_sides(tmp_path / "run", requests=2000)
    assert evidence.server.__class__ is ServerLoad
    worse = dataclasses.replace(evidence, server=dataclasses.replace(evidence.server, errors=3))
    assert reconciliation_table(worse).rows[2][1:] == ("0", "3", "—")


def test_one_side_alone_is_not_compared_and_the_reason_is_given(tmp_path: Path) -> None:
    table = reconciliation_table(run_of(tmp_path / "run").evidence)
    assert table.rows == ()
    assert table.empty.startswith("They cannot be compared: ")
    assert "was not pulled" in table.empty
