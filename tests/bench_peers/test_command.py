"""The command line and the rows it leaves."""

from __future__ import annotations

import json
from pathlib import Path

from tests.bench_peers.__main__ import command_for, keep


def test_the_command_is_what_somebody_else_would_type() -> None:
    assert command_for(["--tools", "golive,wrk", "--rows", "/somewhere/rows.json", "--rounds", "1"]) == (
        'make bench-peers BENCH="--tools golive,wrk --rounds 1"'
    )
    assert command_for([]) == "make bench-peers"


def test_rows_are_json_a_line_each(tmp_path: Path) -> None:
    path = tmp_path / "bench" / "peers.json"
    keep({"format": 1}, [{"tool": "wrk"}, {"tool": "oha"}], path)
    assert json.loads(path.read_text()) == {"format": 1, "rows": [{"tool": "wrk"}, {"tool": "oha"}]}
    assert len(path.read_text().splitlines()) == 7
