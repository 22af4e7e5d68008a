"""What a workload says in Python is what two workers' engines send: feeders, captures and ends of journeys."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from loadtest import _engine
from loadtest.run_orders import compiled_plan
from scenarios.plan import Plan, Sending
from scenarios.profile import Phase, Profile
from scenarios.target import Target, TargetClass
from scenarios.values import Order
from scenarios.workload import Capture, Captured, Feeder, Flow, Request, Sequence, Step, Text, Workload
from tests.http_server import Answer, CountingServer, an_answer

GUESTS = [f"guest-{number:02d}" for number in range(40)]
WORKERS, RPS, LOAD_S = 2, 80.0, 1.0


def journeys(feeder: Feeder) -> Workload:
    """Search with a guest's name, then book what was found under the same name."""
    search = Request(
        name="search", method="GET", path=Text(("/search/", feeder["name"], "/", Sequence())),
        captures=(Capture.json("room", "/room"),),
    )  # fmt: skip
    book = Request(name="book", method="GET", path=Text(("/book/", Captured("room"), "/", feeder["name"])))
    return Workload(name="w", flows=(Flow(name="stay", weight=1, steps=(Step(search), Step(book, think_s=(0, 0.2)))),))


def drive(workload: Workload) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """The paths that each worker's own server was asked for, and what the workers counted."""
    asked: list[list[str]] = [[] for _ in range(WORKERS)]
    with ExitStack() as after:
        servers = [after.enter_context(CountingServer(telling(mine))) for mine in asked]
        plans = [compiled_plan(plan_at(server.url, workload), run_date="2026-11-24") for server in servers]
        engines = [_engine.Engine(plan, shard=shard, shards=WORKERS) for shard, plan in enumerate(plans)]
        for engine in engines:
            assert engine.prepare() == ""
            engine.start(start_in_us=0, start_unix_us=1_790_000_000_000_000, lease_us=60_000_000)
        until_s = time.monotonic() + 20
        while any(engine.state() != "done" for engine in engines) and time.monotonic() < until_s:
            time.sleep(0.05)
        counted = [entry for engine in engines for entry in json.loads(engine.drain(everything=True))["counts"]]
    return asked, counted


def telling(asked: list[str]) -> Answer:
    """Notes each path and gives it a room."""

    async def answer(line: str, number: int) -> bytes:
        asked.append(line.split(" ")[1])
        return an_answer(body=json.dumps({"room": f"r {number}"}).encode())

    return answer


def plan_at(url: str, workload: Workload) -> Plan:
    load = Phase(name="hold", duration_s=LOAD_S, from_rps=RPS, to_rps=RPS)
    finish = Phase(name="finish", duration_s=0.7, from_rps=0, to_rps=0, judged=False)
    return Plan(
        name="p", workload=workload, profile=Profile(phases=(load, finish)), objectives=(), rate_to_prove_rps=RPS,
        target=Target(name="t", url=url, target_class=TargetClass.REHEARSAL), sending=Sending(connections=16),
        workers=WORKERS,
    )  # fmt: skip


def names_in(paths: list[str], what: str) -> list[str]:
    return [path.split("/")[2 if what == "search" else 3] for path in paths if path.startswith(f"/{what}/")]


@pytest.mark.parametrize(("form", "order"), [("json", "shared"), ("jsonl", "partitioned"), ("csv", "random")])
def test_rows_are_dealt_as_the_feeder_says(tmp_path: Path, form: str, order: Order) -> None:
    asked, counted = drive(journeys(Feeder(written(tmp_path, form), order=order)))
    mine = [names_in(paths, "search") for paths in asked]
    begun = len(mine[0]) + len(mine[1])
    assert begun == pytest.approx(RPS * LOAD_S / 2, rel=0.5)  # two steps: half as many journeys as requests
    match order:
        case "shared":  # each row once while they last, over both workers
            most, least = max(Counter(mine[0] + mine[1]).values()), len({*mine[0], *mine[1]})
            assert most == -(-begun // len(GUESTS))
            assert least == min(begun, len(GUESTS))
        case "partitioned":
            assert {*mine[0]} <= {*GUESTS[0::2]}
            assert {*mine[1]} <= {*GUESTS[1::2]}
        case "random":
            assert {*mine[0], *mine[1]} <= {*GUESTS}
    for paths in asked:  # the whole journey has its first step's row
        assert Counter(names_in(paths, "book")) == Counter(names_in(paths, "search"))
    assert sum(entry["ok"] for entry in counted) == 2 * begun


def written(folder: Path, form: str) -> str:
    rows = [{"name": name} for name in GUESTS]
    text = {
        "json": json.dumps(rows),
        "jsonl": "\n".join(map(json.dumps, rows)),
        "csv": "\n".join(["name", *GUESTS, ""]),
    }[form]
    (folder / f"guests.{form}").write_text(text)
    return str(folder / f"guests.{form}")


def test_a_captured_value_is_encoded_where_it_stands_and_a_number_of_the_run_is_unique(tmp_path: Path) -> None:
    asked, _ = drive(journeys(Feeder(written(tmp_path, "csv"))))
    searches = [path.split("/")[3] for paths in asked for path in paths if path.startswith("/search/")]
    assert len(set(searches)) == len(searches)
    rooms = [path.split("/")[2] for paths in asked for path in paths if path.startswith("/book/")]
    assert all(room.startswith("r%20") for room in rooms)
