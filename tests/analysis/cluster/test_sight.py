"""How long a server in trouble is left alone, and what is written down of it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis.cluster.journal import Journal
from analysis.cluster.ports import ApiTrouble, Kind, Scope, Trouble
from analysis.cluster.sight import Sight

SERVER = ApiTrouble(Trouble.SERVER, "it hurts")


class Clock:
    now_unix_s = 100.0

    def __call__(self) -> float:
        return self.now_unix_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sight(tmp_path: Path, clock: Clock) -> Iterator[Sight]:
    journal = Journal(tmp_path, clock)
    yield Sight(kind=Kind.PODS, scope=Scope(namespace="hotel"), journal=journal, chance=random.Random(1))
    journal.close()


def written(folder: Path) -> list[dict[str, Any]]:
    path = folder / "watch.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_it_waits_twice_as_long_after_each_failure_and_never_longer_than_a_quarter_of_a_minute(sight: Sight) -> None:
    waits = [sight.failed(SERVER) for _ in range(40)]
    assert all(low / 2 <= wait <= low for low, wait in zip([0.5, 1, 2, 4, 8, 15, 15], waits, strict=False))
    assert max(waits) <= 15
    assert len(set(waits)) == len(waits)  # no two watchers knock at once


def test_it_obeys_a_retry_after_within_reason(sight: Sight) -> None:
    assert sight.failed(ApiTrouble(Trouble.TOO_MANY, "", retry_after_s=7)) == 7
    assert sight.failed(ApiTrouble(Trouble.TOO_MANY, "", retry_after_s=9_000)) == 60


@pytest.mark.parametrize("refusal", [Trouble.FORBIDDEN, Trouble.NOT_FOUND])
def test_what_it_may_not_read_it_asks_for_again_once_a_minute(refusal: Trouble, sight: Sight, tmp_path: Path) -> None:
    assert [sight.failed(ApiTrouble(refusal, "no")) for _ in range(3)] == [60, 60, 60]
    assert [line["what"] for line in written(tmp_path)] == ["not allowed"]


def test_a_forgotten_version_is_cured_at_once_but_not_in_a_loop(sight: Sight) -> None:
    gone = ApiTrouble(Trouble.GONE, "")
    assert sight.failed(gone) == 0
    assert sight.failed(gone) > 0


def test_each_new_kind_of_trouble_is_told_once_and_the_gap_as_a_whole(
    sight: Sight, clock: Clock, tmp_path: Path
) -> None:
    sight.seen()
    clock.now_unix_s = 103.0
    for trouble in (SERVER, SERVER, ApiTrouble(Trouble.UNREACHABLE, "")):
        sight.failed(trouble)
    clock.now_unix_s = 110.0
    sight.seen()
    assert [(line["what"], line["trouble"]) for line in written(tmp_path)] == [
        ("trouble", "server error"), ("trouble", "unreachable"), ("blind", "unreachable"),
    ]  # fmt: skip
    gap = written(tmp_path)[-1]
    assert (gap["from_unix_s"], gap["until_unix_s"], gap["failures"], gap["lost"]) == (100, 110, 3, False)


def test_while_all_is_well_nothing_is_written(sight: Sight, tmp_path: Path) -> None:
    for _ in range(5):
        sight.seen()
    sight.ended()
    assert written(tmp_path) == []


def test_what_is_in_the_dark_at_the_end_stays_there(sight: Sight, clock: Clock, tmp_path: Path) -> None:
    sight.failed(SERVER)
    clock.now_unix_s = 130.0
    sight.ended()
    assert written(tmp_path)[-1]["lost"]


def test_a_surprise_is_told_by_its_name(sight: Sight, tmp_path: Path) -> None:
    sight.failed(ZeroDivisionError("one by none"))
    assert written(tmp_path)[0]["trouble"] == "unexpected"
    assert written(tmp_path)[0]["said"] == "ZeroDivisionError: one by none"
