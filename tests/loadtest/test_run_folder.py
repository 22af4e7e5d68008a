"""A run is found by what people call it, and never another one in its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtest.run_folder import find_run, has_ended, is_here, new_run_folder
from scenarios.errors import UsageError


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name in ("20260101T000000Z-30k-aaaa", "20260102T000000Z-smoke-bbbb", "20260102T000000Z-smoke-bccc", "sample"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").touch()
    (tmp_path / "20270101T000000Z-no-run").mkdir()
    return tmp_path


def test_without_a_name_it_is_the_newest_and_never_the_sample(results: Path) -> None:
    assert find_run(results, "").name == "20260102T000000Z-smoke-bccc"


def test_the_sample_is_found_when_it_is_named(results: Path) -> None:
    assert find_run(results, "sample").name == "sample"


def test_the_beginning_of_an_id_is_enough_when_only_one_run_has_it(results: Path) -> None:
    assert find_run(results, "20260101").name == "20260101T000000Z-30k-aaaa"
    with pytest.raises(UsageError, match="could be any of 20260102T000000Z-smoke-bbbb, 20260102T000000Z-smoke-bccc"):
        find_run(results, "20260102T000000Z-smoke-b")


def test_a_folder_is_found_by_its_path_wherever_it_is(results: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "run.json").touch()
    assert find_run(results, str(elsewhere)) == elsewhere


def test_what_is_not_there_is_told(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no run '2031'"):
        find_run(results, "2031")
    with pytest.raises(UsageError, match=r"There is no run in .*nothing/ yet"):
        find_run(tmp_path / "nothing", "")


def test_a_run_of_a_cluster_is_not_here(results: Path) -> None:
    assert is_here(results, "20260101")
    (results / "20260101T000000Z-30k-aaaa" / "kubernetes").mkdir()
    assert not is_here(results, "20260101")
    assert not is_here(results, "2031")


@pytest.mark.parametrize(("event", "ended"), [("load_started", False), ("load_ended", True), ("load_failed", True)])
def test_a_run_has_ended_when_its_record_says_so(tmp_path: Path, event: str, ended: bool) -> None:
    assert not has_ended(tmp_path)
    (tmp_path / "events.jsonl").write_text(f'{{"at_unix_s":1,"event":"{event}"}}\n')
    assert has_ended(tmp_path) is ended


def test_a_new_folder_is_named_for_its_plan_and_sorts_by_time(tmp_path: Path) -> None:
    assert re.fullmatch(r"\d{8}T\d{6}Z-smoke-[0-9a-f]{4}", new_run_folder(tmp_path, "scenarios/plans/smoke.yaml").name)
