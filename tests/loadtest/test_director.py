"""The master's side of a run: what it writes down, when it stops, what it calls lost."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from loadtest.director import SILENT_AFTER_S
from scenarios.plan import AbortLimits
from tests.loadtest.builders import a_plan, a_pod, a_stand, counts


def test_a_run_ends_when_every_worker_has_handed_in_its_last_counts(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, plan=a_plan(duration_s=3.0))
    stand.clock.at(stand.clock.now_s + 3.0, lambda: stand.workers[0].sends(1, counts(ok=5), final=True))
    stand.direct()
    assert stand.director.finished
    assert stand.event("worker_drained") == pytest.approx({**stand.happened("worker_drained"), "last_seq": 1})
    assert stand.event("worker_undrained") is None


def test_the_load_starts_on_a_whole_second_of_the_masters_clock(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2)
    stand.workers[1].clock_offset_s = 30.0
    stand.direct()
    orders = [dict(worker.heard)["golive_go"] for worker in stand.workers]
    assert orders[0]["t0_unix_s"] == orders[1]["t0_unix_s"] == int(orders[0]["t0_unix_s"])
    assert [round(order["clock_offset_s"]) for order in orders] == [0, 30]


def test_each_worker_gets_its_own_shard(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=3)
    stand.direct()
    shards = [dict(worker.heard)["golive_arm"] for worker in stand.workers]
    assert [(order["shard"], order["shards"]) for order in shards] == [(0, 3), (1, 3), (2, 3)]


def test_a_worker_that_cannot_reach_the_target_keeps_the_load_from_starting(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    stand.workers[0].problem = "connection refused by 127.0.0.1:1"
    stand.direct()
    assert "connection refused" in stand.director.failed_because
    assert stand.event("load_started") is None


def test_a_worker_that_never_arms_is_named(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2)
    stand.workers[1].arms = False
    stand.direct()
    assert "[1]" in stand.director.failed_because


def test_a_silent_worker_is_lost_with_the_last_thing_it_said(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2, plan=a_plan(duration_s=20.0))
    start_s = stand.clock.now_s
    for second in range(2, 24):
        stand.clock.at(start_s + second, partial(stand.workers[0].sends, second - 1, counts(ok=1)))
    stand.clock.at(start_s + 3, lambda: stand.workers[1].sends(1, counts(ok=7)))
    stand.direct()
    lost = stand.event("worker_lost")
    assert lost
    assert (lost["worker"], lost["last_seq"], lost["last_delta_unix_s"]) == (1, 1, start_s + 3)
    assert lost["at_unix_s"] == pytest.approx(start_s + 3 + SILENT_AFTER_S, abs=0.5)
    assert sum(line["ok"] for line in stand.seconds() if line["worker"] == 1) == 7


def test_a_lost_worker_that_speaks_again_has_returned(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2, plan=a_plan(duration_s=20.0))
    start_s = stand.clock.now_s
    for second in range(2, 24):
        stand.clock.at(start_s + second, partial(stand.workers[0].sends, second - 1, counts(ok=1)))
    stand.clock.at(start_s + 12, lambda: stand.workers[1].sends(1, counts(ok=7)))
    stand.direct()
    assert stand.event("worker_returned")


@pytest.mark.parametrize("by_s", [-20.0, -0.5, 0.5, 20.0])
def test_a_wall_clock_that_is_set_in_mid_run_is_told_and_ends_nothing(tmp_path: Path, by_s: float) -> None:
    stand = a_stand(tmp_path, plan=a_plan(duration_s=20.0, abort=AbortLimits(behind_for_s=100.0)))
    start_s = stand.clock.now_s
    for second in range(2, 25):
        report = partial(stand.workers[0].sends, second - 1, counts(ok=1), final=second == 24)
        stand.clock.at(start_s + second, report)
    stand.clock.at(start_s + 9, lambda: setattr(stand.clock, "stepped_s", by_s))
    stand.direct()
    stepped = [event["by_s"] for event in stand.events() if event["event"] == "clock_stepped"]
    began, ended = stand.event("load_started"), stand.event("load_ended")
    assert stepped == [by_s]
    assert began
    assert ended
    assert ended["because"] == "the plan is complete"
    assert ended["at_unix_s"] == pytest.approx(began["t0_unix_s"] + 20, abs=0.5)
    assert stand.event("worker_lost") is None


def test_a_wall_clock_that_wanders_a_little_is_nothing_to_tell(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    stand.clock.at(stand.clock.now_s + 3, lambda: setattr(stand.clock, "stepped_s", 0.2))
    stand.direct()
    assert stand.event("clock_stepped") is None


def test_the_same_delta_twice_is_written_once_and_acknowledged_twice(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    start_s = stand.clock.now_s
    stand.clock.at(start_s + 4, lambda: stand.workers[0].sends(1, counts(ok=5)))
    stand.clock.at(start_s + 5, lambda: stand.workers[0].sends(1, counts(ok=5)))
    stand.direct()
    assert sum(line["ok"] for line in stand.seconds()) == 5
    assert stand.workers[0].kinds().count("golive_ack") == 2


def test_a_request_to_stop_ends_the_load_within_a_second(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, plan=a_plan(duration_s=60.0))
    asked_s = stand.clock.now_s + 10
    stand.clock.at(asked_s, lambda: setattr(stand, "stop_asked_by", "golive stop"))
    stand.clock.at(asked_s - 1, lambda: stand.workers[0].sends(1, counts(ok=1)))
    for second in range(3, 9):
        stand.clock.at(asked_s - second, lambda: setattr(stand.director._workers["host_0"], "heard_unix_s", asked_s))
    stand.direct()
    ended = stand.event("load_ended")
    assert ended
    assert ended["at_unix_s"] - asked_s < 1.0
    assert "golive_halt" in stand.workers[0].kinds()


def test_a_stop_before_the_workers_are_there_is_obeyed_and_written_down(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    assert not stand.director.look_before_start()
    stand.stop_asked_by = "golive stop"
    assert stand.director.look_before_start()
    stand.director.record.close()
    assert "before the load began" in stand.happened("load_failed")["because"]


def test_a_stop_while_an_index_is_waited_for_is_obeyed_at_once(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2, pods=[a_pod(0)])
    began_s = stand.clock.now_s
    stand.clock.at(began_s + 2, lambda: setattr(stand, "stop_asked_by", "golive stop"))
    stand.direct()
    assert stand.clock.now_s - began_s < 4
    assert "golive stop" in stand.happened("load_failed")["because"]


def test_failures_beyond_the_limit_abort_the_run_with_the_figures(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, plan=a_plan(duration_s=60.0, abort=AbortLimits(failed_for_s=3.0)))
    start_s = int(stand.clock.now_s) + 2
    for second in range(40):
        lost = counts(start_s + second, ok=10, failed={"status 503": 90})
        stand.clock.at(start_s + second + 2, partial(stand.workers[0].sends, second + 1, lost))
    stand.direct()
    abort = stand.event("abort")
    assert abort
    assert abort["limit"] == "failed_for_s"
    assert "270 failed" in abort["what"]
    assert stand.clock.now_s < start_s + 20


def test_when_the_record_cannot_be_written_nothing_is_acknowledged_and_the_load_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = a_stand(tmp_path, plan=a_plan(duration_s=60.0))

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    stand.clock.at(stand.clock.now_s + 3, lambda: monkeypatch.setattr(stand.director.record, "delta", full))
    stand.clock.at(stand.clock.now_s + 4, lambda: stand.workers[0].sends(1, counts(ok=1)))
    stand.direct()
    assert stand.workers[0].acknowledged == 0
    assert "No space left" in str(stand.event("load_ended"))


def test_an_engine_that_stops_by_itself_is_a_lost_worker(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    stand.clock.at(stand.clock.now_s + 4, lambda: stand.workers[0].sends(1, counts(ok=1), halted_because="lease ended"))
    stand.direct()
    assert "lease ended" in str(stand.event("worker_lost"))


def test_a_stranger_has_no_shard_and_is_not_heard(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    stand.clock.at(stand.clock.now_s + 4, lambda: stand.director.hear("stranger", "golive_delta", {"seq": 1}))
    stand.direct()
    assert stand.seconds() == []


def test_a_worker_that_comes_when_the_load_is_dealt_is_named_and_gets_nothing(tmp_path: Path) -> None:
    stand = a_stand(tmp_path)
    answers: list[bool] = []
    stand.clock.at(stand.clock.now_s + 4, lambda: answers.append(stand.director.came("late")))
    stand.direct()
    assert answers == [False]
    assert stand.event("worker_late") == pytest.approx({**stand.happened("worker_late"), "id": "late"})


def test_a_pod_gets_the_shard_of_its_completion_index_whatever_order_they_come_in(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=3, pods=[a_pod(2), a_pod(0), a_pod(1)])
    stand.direct()
    dealt = {pod.identity["index"]: dict(pod.heard)["golive_arm"]["shard"] for pod in stand.workers}
    assert dealt == {0: 0, 1: 1, 2: 2}
    assert stand.happened("worker_ready")["identity"]["pod_uid"] == "uid-2"


def test_an_index_started_twice_gets_one_shard_and_both_pods_are_named(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2, pods=[a_pod(0), a_pod(1), a_pod(1, pod_uid="uid-again")])
    stand.direct()
    twice = stand.event("worker_duplicate")
    assert twice
    assert (twice["shard"], twice["pod_uid"], twice["kept_pod_uid"]) == (1, "uid-again", "uid-1")
    assert "golive_arm" not in stand.workers[2].kinds()


def test_an_index_started_again_in_mid_run_is_told_apart_from_a_late_worker(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=1, pods=[a_pod(0), a_pod(0, pod_uid="uid-again")])
    second = stand.workers.pop()
    stand.clock.at(stand.clock.now_s + 4, lambda: stand.director.came(second.id))
    stand.direct()
    assert stand.happened("worker_duplicate")["pod_uid"] == "uid-again"
    assert stand.event("worker_late") is None


def test_a_pod_that_is_still_starting_and_misses_a_question_is_asked_again(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=1, pods=[a_pod(0), a_pod(0, pod_uid="uid-again")])
    second = stand.workers.pop()
    second.answers_pings = False
    stand.clock.at(stand.clock.now_s + 3, lambda: stand.director.came(second.id))
    stand.clock.at(stand.clock.now_s + 4, lambda: setattr(second, "answers_pings", True))
    stand.direct()
    assert stand.event("worker_duplicate")


def test_an_index_that_never_comes_keeps_the_load_from_starting_and_is_named(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=3, pods=[a_pod(0), a_pod(2), a_pod(2, pod_uid="uid-again")])
    stand.direct()
    assert "[1]" in stand.director.failed_because
    assert stand.event("load_started") is None


def test_a_pod_that_comes_while_the_others_wait_still_gets_its_shard(tmp_path: Path) -> None:
    stand = a_stand(tmp_path, workers=2, pods=[a_pod(0), a_pod(1)])
    later = stand.workers.pop()
    stand.clock.at(stand.clock.now_s + 5, lambda: stand.director.came(later.id))
    stand.direct()
    assert stand.event("load_started")
    assert dict(later.heard)["golive_arm"]["shard"] == 1
