"""A run in several legs: ordered one by one, driven on the same workers, one account of what was due."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtest.legs import LegBook, LegOrder, LegOrders
from scenarios.plan import AbortLimits
from scenarios.profile import Phase
from tests.loadtest.builders import Stand, a_plan, a_stand, counts

TABLE: dict[str, Any] = {"name": "guests.csv", "columns": ["id"], "rows": [[str(row)] for row in range(100)]}
ENGINE_PLAN = json.dumps(
    {
        "seed": 7, "rate_line": [], "requests": [{"path": ["/", {"sequence": 5}], "body": None}],
        "tables": [TABLE, {**TABLE, "order": "shared"}, {**TABLE, "order": "partitioned"}],
    }
)  # fmt: skip


def an_order(number: int = 1, *, purpose: str = "level", level: int = 1, duration_s: float = 6.0) -> LegOrder:
    phase = Phase(name=f"level-{number}", duration_s=duration_s, from_rps=10, to_rps=10, judged=False)
    return LegOrder(number=number, purpose=purpose, level=level, rate_rps=10.0, phases=(phase,))


def due_counts(engine_plan: str) -> list[list[int]]:
    line = json.loads(engine_plan)["rate_line"]
    return [[10] for part in line for _ in range(part["duration_us"] // 1_000_000)]


def a_book(folder: Path) -> LegBook:
    return LegBook(folder, ENGINE_PLAN, due_counts)


def due(folder: Path) -> list[int]:
    return [sum(second) for second in json.loads((folder / "due.json").read_text())["seconds"]]


def test_orders_are_read_in_turn_and_the_end_of_all_comes_after_the_last(tmp_path: Path) -> None:
    orders, book = LegOrders(tmp_path), a_book(tmp_path)
    orders.leg(an_order(1))
    orders.end(1, "decided")
    orders.over("found")
    assert book.over() == ""
    assert book.next() == an_order(1)
    assert (book.ends(1), book.ends(2), book.over()) == ("decided", "", "found")


def test_each_leg_has_a_seed_of_its_own_and_its_sequences_go_on(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    first = book.prepare(an_order(1))
    book.began(first, 1000.0)
    second = book.prepare(an_order(2))
    plans: list[dict[str, Any]] = [json.loads(leg.engine_plan) for leg in (first, second)]
    assert len({7, *(plan["seed"] for plan in plans)}) == 3
    assert [plan["requests"][0]["path"][1]["sequence"] for plan in plans] == [5, 65]


def test_a_leg_takes_no_row_of_a_shared_table_that_a_leg_before_it_took(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    for number, first_rows in ((1, ["0", "0", "0"]), (2, ["0", "60", "0"]), (3, ["0", "20", "0"])):
        leg = book.prepare(an_order(number))
        tables = json.loads(leg.engine_plan)["tables"]
        assert [table["rows"][0][0] for table in tables] == first_rows  # 60 are due in each leg of six seconds
        assert [len(table["rows"]) for table in tables] == [100, 100, 100]
        book.began(leg, 1000.0 + 6 * (number - 1))


def test_what_was_due_is_one_account_over_all_legs_less_what_was_cut_off(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    book.began(book.prepare(an_order(1)), 1000.0)
    book.ended(1002.5)
    assert due(tmp_path) == [10, 10, 10]
    book.began(book.prepare(an_order(2, duration_s=2.0)), 1005.0)
    assert due(tmp_path) == [10, 10, 10, 0, 0, 10, 10]


def searching(folder: Path, **changes: Any) -> Stand:
    stand = a_stand(folder, plan=a_plan(**changes))
    stand.director.legs = a_book(folder)
    return stand


def hands_in(stand: Stand, at_s: float, seq: int) -> None:
    stand.clock.at(at_s, lambda: stand.workers[0].sends(seq, counts(ok=5), final=True, halted_because="decided"))


def test_legs_follow_one_another_on_the_same_workers_until_no_more_come(tmp_path: Path) -> None:
    stand, orders = searching(tmp_path), LegOrders(tmp_path)
    start_s = stand.clock.now_s
    orders.leg(an_order(1, duration_s=3.0))
    orders.leg(an_order(2, duration_s=3.0))
    orders.over("found")
    stand.clock.at(start_s + 5, lambda: stand.workers[0].sends(1, counts(ok=5), final=True))
    stand.clock.at(start_s + 9, lambda: stand.workers[0].sends(2, counts(ok=5), final=True))
    stand.direct()
    begun = [event["leg"] for event in stand.events() if event["event"] == "leg_started"]
    assert begun == [1, 2]
    assert [event["event"] for event in stand.events()].count("load_started") == 1
    ended = stand.event("load_ended")
    assert ended
    assert ended["because"] == "the plan is complete"
    assert stand.workers[0].kinds()[-1] == "golive_over"


def test_a_leg_that_is_decided_is_halted_and_nobody_is_lost_by_it(tmp_path: Path) -> None:
    stand, orders = searching(tmp_path), LegOrders(tmp_path)
    start_s = stand.clock.now_s
    orders.leg(an_order(1, duration_s=60.0))
    stand.clock.at(start_s + 6, lambda: orders.end(1, "decided"))
    stand.clock.at(start_s + 4, lambda: stand.workers[0].sends(1, counts(ok=5)))
    hands_in(stand, start_s + 6.4, 2)
    stand.clock.at(start_s + 9, lambda: orders.over("found"))
    stand.direct()
    assert ("golive_halt", {"because": "decided"}) in stand.workers[0].heard
    assert stand.event("worker_lost") is None
    ended = stand.event("load_ended")
    assert ended
    assert ended["because"] == "the plan is complete"


def test_a_stop_ends_the_leg_and_the_search(tmp_path: Path) -> None:
    stand, orders = searching(tmp_path), LegOrders(tmp_path)
    start_s = stand.clock.now_s
    orders.leg(an_order(1, duration_s=60.0))
    stand.clock.at(start_s + 4, lambda: setattr(stand, "stop_asked_by", "golive stop"))
    hands_in(stand, start_s + 5, 1)
    stand.direct()
    told = {event["event"]: event for event in stand.events()}
    assert told["leg_ended"]["because"] == told["load_ended"]["because"] == "stop requested by golive stop"


def test_a_level_that_fails_too_much_ends_alone_and_the_search_may_go_on(tmp_path: Path) -> None:
    stand = searching(tmp_path, abort=AbortLimits(failed_for_s=2.0, behind_for_s=50.0))
    orders, start_s = LegOrders(tmp_path), int(stand.clock.now_s)
    orders.leg(an_order(1, duration_s=60.0))
    for seq, second in enumerate(range(start_s + 2, start_s + 12), start=1):
        line = counts(second, failed={"status 503": 10})
        stand.clock.at(second + 1.5, lambda seq=seq, line=line: stand.workers[0].sends(seq, line))  # type: ignore[misc]
    stand.clock.at(start_s + 20, lambda: orders.over("enough"))
    stand.direct()
    aborted = stand.event("level_aborted")
    assert aborted
    assert (aborted["level"], aborted["limit"]) == (1, "failed_for_s")
    assert stand.event("abort") is None


def test_a_level_at_which_nobody_is_there_any_more_ends_all_and_is_told_as_that_level_s(tmp_path: Path) -> None:
    stand = searching(tmp_path, abort=AbortLimits(unreachable_for_s=2.0, failed_for_s=50.0, behind_for_s=50.0))
    orders, start_s = LegOrders(tmp_path), int(stand.clock.now_s)
    orders.leg(an_order(1, duration_s=60.0))
    for seq, second in enumerate(range(start_s + 2, start_s + 12), start=1):
        line = counts(second, failed={"refused": 100})
        stand.clock.at(second + 1.5, lambda seq=seq, line=line: stand.workers[0].sends(seq, line))  # type: ignore[misc]
    stand.direct()
    aborted, ended = stand.event("level_aborted"), stand.event("load_ended")
    assert aborted
    assert ended
    assert (aborted["level"], aborted["limit"]) == (1, "unreachable_for_s")
    assert ended["because"].startswith("abort limit unreachable_for_s")
    assert stand.event("abort")


def test_an_ordinary_run_has_no_legs(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, plan=replace(a_plan(duration_s=2.0)))
    stand.clock.at(stand.clock.now_s + 3.0, lambda: stand.workers[0].sends(1, counts(ok=5), final=True))
    stand.direct()
    assert stand.event("leg_started") is None
    assert not (tmp_path / "due.json").exists()
