"""Files of rows: what is taken, and what is said of those that cannot be used."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.engine_plan import Table, engine_plan
from scenarios.errors import PlanError
from scenarios.files_tables import read_tables
from scenarios.workload import Feeder, Flow, Json, Request, Step, Workload
from tests.scenarios.journeys import plan


def table_of(folder: Path, name: str, text: str, *columns: str) -> Table:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    rows = Feeder(str(path), order="partitioned")
    asked = Request(name="a", method="GET", path="/", query={column: rows[column] for column in columns})
    workload = Workload(name="w", flows=(Flow(name="f", weight=1, steps=(Step(asked),)),))
    (table,) = read_tables(workload).values()
    return table


def test_a_csv_file_is_read_by_its_header(tmp_path: Path) -> None:
    table = table_of(tmp_path, "guests.csv", "id,email\n1,a@b\n2,c@d\n", "email")
    assert (table.columns, table.rows, table.order) == (("id", "email"), (("1", "a@b"), ("2", "c@d")), "partitioned")


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.csv", "email,id\r\na@b,1\r\n"), ("a.json", '[{"email": "a@b"}]'), ("a.jsonl", '{"email": "a@b"}\r\n')],
)
def test_a_file_saved_by_a_spreadsheet_has_its_first_column_too(tmp_path: Path, name: str, text: str) -> None:
    table = table_of(tmp_path, name, "\ufeff" + text, "email")
    assert (table.columns[0], table.rows[0][0]) == ("email", "a@b")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("guests.json", '[{"id": 1, "email": "a@b", "vip": true}, {"id": 2, "email": "c@d", "vip": false}]'),
        ("guests.jsonl", '{"id": 1, "email": "a@b", "vip": true}\n\n{"id": 2, "email": "c@d", "vip": false}\n'),
    ],
)
def test_a_json_file_is_read_by_the_names_that_are_used(tmp_path: Path, name: str, text: str) -> None:
    table = table_of(tmp_path, name, text, "id", "vip")
    assert (table.columns, table.rows) == (("id", "vip"), (("1", "true"), ("2", "false")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("guests.csv", "id,email\r\n1,a@b\r\n"),
        ("guests.csv", "id,email\n\n1,a@b\n\n\n"),
        ("guests.json", '[{"id": 1, "email": "a@b"}]'),
        ("guests.jsonl", '{"id": 1, "email": "a@b"}\n'),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_mark_of_a_spreadsheet_and_empty_lines_are_no_part_of_the_rows(
    tmp_path: Path, name: str, text: str, mark: str
) -> None:
    table = table_of(tmp_path, name, mark + text, "id", "email")
    assert (table.columns, table.rows) == (("id", "email"), (("1", "a@b"),))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "id\n1\n", "has no column email; it has 'id'"),
        ("a.csv", "id;email\n1;a@b\n", "has no column email; it has 'id;email'"),
        ("a.csv", "email,email\na@b,c@d\n", "two columns are called 'email'"),
        ("a.csv", 'id,email\n"1\n2",a@b\n3\n', "line 4 has other columns"),
        ("a.csv", 'id,email\n1,"a"b\n', "line 2: ',' expected after"),
        ("a.json", '[{"email": NaN}]', "NaN is no JSON"),
        ("a.csv", "id,email\n", "has no rows"),
        ("a.csv", "", "has no rows"),
        ("a.csv", "id,email\n1\n", "line 2 has other columns"),
        ("a.csv", 'id,email\n1,"a\n', "unexpected end"),
        ("a.json", "[]", "has no rows"),
        ("a.json", '[{"email": "a"},\n{"email" 1}]', "line 2: Expecting ':' delimiter"),
        ("a.jsonl", '{"email": "a"}\n{"email"', "line 2: Expecting ':' delimiter"),
        ("a.json", '[{"email": "a"}, {"mail": "b"}]', "row 2 has no 'email'"),
        ("a.json", '[["a"]]', "row 1 is no object"),
        ("a.json", '{"email": null}', "row 1: 'email' is null, not a text"),
        ("a.json", '{"email": {"work": 1}}', """row 1: 'email' is {"work": 1}, not a text"""),
    ],
)
def test_what_cannot_be_fed_is_told_with_its_row(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(PlanError) as refused:
        table_of(tmp_path, name, text, "email")
    assert told in str(refused.value)


def test_a_column_of_numbers_may_stay_such_in_json(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("sku,quantity,gift\na,2,true\nb,-1.50,false\n")
    items = Feeder(str(tmp_path / "items.csv"))
    body: Json = {"sku": items["sku"], "n": items.bare("quantity"), "gift": items.bare("gift"), "as": items["quantity"]}
    asked = Workload(name="w", requests=(Request(name="a", method="POST", path="/", json=body),))
    read_tables(asked)
    (request,) = engine_plan(plan(asked), run_date="2026-11-24", tables={}, secrets={})["requests"]
    written = "".join(piece if isinstance(piece, str) else "7" for piece in request["body"])
    assert json.loads(written) == {"sku": "7", "n": 7, "gift": 7, "as": "7"}
    with pytest.raises(PlanError, match="row 1: 'sku' is 'a', no number or truth value as JSON has them"):
        read_tables(replace(asked, requests=(replace(asked.requests[0], json=items.bare("sku")),)))


@pytest.mark.parametrize("cell", ["", "1,2", "01", "NaN", "+1", "1 000", '"1"', "null", "[1]", "True"])
def test_what_is_no_number_in_json_is_refused_where_it_would_stand_bare(tmp_path: Path, cell: str) -> None:
    (tmp_path / "n.json").write_text(json.dumps([{"n": 1}, {"n": cell}]))
    asked = Request(name="a", method="POST", path="/", json=Feeder(str(tmp_path / "n.json")).bare("n"))
    with pytest.raises(PlanError, match="row 2"):
        read_tables(Workload(name="w", requests=(asked,)))


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_bytes(b"\xff\xfe")
    for name in ("nowhere.csv", "raw.csv"):
        asked = Request(name="a", method="GET", path=Feeder(str(tmp_path / name))["x"])
        with pytest.raises(PlanError, match=name):
            read_tables(Workload(name="w", requests=(asked,)))


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)


@given(st.lists(cells, min_size=1, max_size=8))
def test_the_same_rows_come_out_of_either_form(rows: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        asked = [{"x": row} for row in rows]
        whole = table_of(Path(folder), "a.json", json.dumps(asked), "x")
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in asked)
        told = StringIO(newline="")
        csv.writer(told).writerows([["x"], *([row] for row in rows)])
        assert whole.rows == tuple((row,) for row in rows)
        assert table_of(Path(folder), "a.jsonl", lines, "x").rows == whole.rows
        assert table_of(Path(folder), "a.csv", told.getvalue(), "x").rows == whole.rows
