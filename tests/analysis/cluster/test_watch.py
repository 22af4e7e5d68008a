"""The watch on a server that fails in every way: what it writes, what it says it missed, and that it goes on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from analysis import kubernetes
from analysis.cluster import keepers, sight, watch
from analysis.cluster.following import Pace
from analysis.cluster.ports import Trouble
from analysis.cluster.watch import PlanOfWatching, Watch, watching
from analysis.kubernetes import Kubernetes
from tests.contracts.api_server import ApiServer, Failure, until

PACE = Pace(watch_for_s=1.0, look_every_s=0.1)
Line = dict[str, Any]


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer(forbidden=frozenset({"nodes"})).serving() as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(kubernetes, "WATCH_GRACE_S", 0.3)


def pod(name: str, *, ready: bool = False, **status: Any) -> Line:
    conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-11-25T01:00:10Z"}]
    return {
        "metadata": {"name": name, "namespace": "hotel", "labels": {"app": "core"}},
        "spec": {},
        "status": {"phase": "Running", "conditions": conditions, **status},
    }


def hpa(desired: int) -> Line:
    spec = {"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": {"kind": "Deployment", "name": "core"}}
    return {"metadata": {"name": "core", "namespace": "hotel"}, "spec": spec, "status": {"desiredReplicas": desired}}


def lines(folder: Path, name: str) -> list[Line]:
    path = folder / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(folder: Path, what: str, kind: str = "pods", namespace: str = "hotel") -> list[Line]:
    wanted = {"what": what, "kind": kind, "namespace": namespace}
    return [line for line in lines(folder, "watch") if wanted.items() <= line.items()]


@contextmanager
def watched(server: ApiServer, folder: Path, pace: Pace = PACE) -> Iterator[Watch]:
    reader = Kubernetes.of_kubeconfig(server.kubeconfig(folder.parent / "conf"))
    plan = PlanOfWatching(target_namespace="hotel", own_namespace="golive", run_id="R1", pace=pace)
    with watching(reader, plan, into=folder) as on:
        yield on


def seen(folder: Path, name: str, holds: Callable[[Line], bool]) -> bool:
    return until(lambda: any(holds(line) for line in lines(folder, name)))


def pod_is(name: str, **fields: Any) -> Callable[[Line], bool]:
    return lambda line: line["name"] == name and all(line.get(field) == value for field, value in fields.items())


def test_every_new_state_of_a_pod_is_a_line_and_its_end_too(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("pods", pod("core-1"))
    with watched(server, folder):
        assert seen(folder, "pods", pod_is("core-1", ready=False))
        server.put("pods", pod("core-1", ready=True))
        server.put("pods", pod("core-1", ready=True))  # says nothing new
        server.delete("pods", "uid-pods-core-1")
        assert seen(folder, "pods", pod_is("core-1", gone=True))
    assert [line.get("ready", "gone") for line in lines(folder, "pods")] == [False, True, "gone"]


def test_an_hpa_is_written_down_at_every_look_with_what_is_new_of_it(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("horizontalpodautoscalers", hpa(2))
    with watched(server, folder):
        assert until(lambda: len(lines(folder, "hpas")) > 3)
        server.put("horizontalpodautoscalers", hpa(4))
        assert seen(folder, "hpas", lambda line: line.get("desired") == 4)
    first, *later = lines(folder, "hpas")
    assert {"spec", "min", "max", "desired", "conditions", "metrics"} <= first.keys()
    assert later[0].keys() == {"at_unix_s", "namespace", "name"}  # as it was
    assert [line["desired"] for line in later if "desired" in line] == [4]


def test_now_and_then_an_hpa_is_written_down_whole(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "WHOLE_EVERY_LOOKS", 3)
    folder = tmp_path / "kubernetes"
    server.put("horizontalpodautoscalers", hpa(2))
    with watched(server, folder):
        assert until(lambda: len(lines(folder, "hpas")) > 6)
    assert ["spec" in line for line in lines(folder, "hpas")][:6] == [True, False, False, True, False, False]


def test_what_is_not_allowed_is_noted_once_and_not_asked_again_at_once(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    with watched(server, folder):
        assert until(lambda: bool(told(folder, "not allowed", "nodes", "")))
        server.put("pods", pod("core-1"))
        assert seen(folder, "pods", pod_is("core-1"))  # the rest goes on
        assert until(lambda: server.times_asked("horizontalpodautoscalers") > 10)
        assert server.times_asked("nodes") <= 2  # the follower, and the fingerprint
    assert [line["trouble"] for line in told(folder, "not allowed", "nodes", "")] == ["403 forbidden"]


def test_a_rotated_token_is_read_again_and_the_gap_is_told(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("pods", pod("core-1"))
    with watched(server, folder):
        assert seen(folder, "pods", pod_is("core-1"))
        server.token = "second"
        server.put("pods", pod("core-2"))
        assert until(lambda: bool(told(folder, "trouble")))
        server.kubeconfig(tmp_path / "conf")
        assert until(lambda: bool(told(folder, "blind")))
        assert seen(folder, "pods", pod_is("core-2"))
    assert [line["trouble"] for line in told(folder, "trouble")] == ["401 unauthorized"]
    (gap,) = told(folder, "blind")
    assert (gap["trouble"], gap["until_unix_s"] >= gap["from_unix_s"]) == ("401 unauthorized", True)


def test_a_forgotten_version_is_cured_by_listing_anew_and_what_lay_between_is_lost(
    server: ApiServer, tmp_path: Path
) -> None:
    folder = tmp_path / "kubernetes"
    server.put("pods", pod("core-1"))
    server.put("pods", pod("core-2"))
    server.fail("pods", Failure(frozen=True), Failure(error_code=410), watch=True)
    with watched(server, folder):
        assert until(lambda: server.times_asked("pods", watch=True, namespace="hotel") == 1)
        server.delete("pods", "uid-pods-core-2")  # nobody tells of it
        assert seen(folder, "pods", pod_is("core-2", gone=True))
    gaps = [(gap["trouble"], gap["lost"]) for gap in told(folder, "blind")]
    assert gaps == [("time-out", False), ("410 gone", True)]


def test_a_cut_watch_goes_on_where_it_was_and_loses_nothing(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("pods", pod("core-1"))
    server.fail("pods", Failure(cut=True), watch=True)
    with watched(server, folder):
        assert until(lambda: bool(told(folder, "blind")))
        server.put("pods", pod("core-2"))
        assert seen(folder, "pods", pod_is("core-2"))
    assert [(gap["trouble"], gap["lost"]) for gap in told(folder, "blind")] == [("connection cut", False)]
    assert server.times_asked("pods", watch=False, namespace="hotel") == 3  # one list, and both fingerprints


def test_a_half_closed_watch_is_given_up_and_catches_up(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.fail("pods", Failure(frozen=True), watch=True)
    with watched(server, folder):
        assert until(lambda: server.times_asked("pods", watch=True) >= 1)
        server.put("pods", pod("core-1"))
        assert seen(folder, "pods", pod_is("core-1"))
    (gap,) = told(folder, "blind")
    assert (gap["trouble"], gap["lost"]) == (Trouble.TIMEOUT.value, False)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again_and_told_of_once(status: int, server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("events", event("core-1", "hotel"))
    server.fail("events", *[Failure(status=status)] * 4)
    with watched(server, folder):
        assert seen(folder, "events", lambda line: line["about"] == "Pod/core-1")
        assert until(lambda: bool(told(folder, "blind", "events")))
    assert len(told(folder, "trouble", "events")) == 1
    assert [(gap["lost"], gap["failures"]) for gap in told(folder, "blind", "events")] == [(True, 4)]


def test_a_server_that_asks_to_be_left_alone_is_left_alone(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sight, "LONGEST_OBEYED_S", 1.5)
    folder = tmp_path / "kubernetes"
    server.fail("events", Failure(status=429, retry_after_s=900))
    with watched(server, folder):
        assert until(lambda: bool(told(folder, "blind", "events")))
    (gap,) = told(folder, "blind", "events")
    assert gap["until_unix_s"] - gap["from_unix_s"] >= 1.5


def test_a_server_that_ends_every_watch_at_once_is_not_asked_in_a_loop(server: ApiServer, tmp_path: Path) -> None:
    server.fail("pods", *[Failure(brief=True)] * 1000, watch=True)
    with watched(server, tmp_path / "kubernetes"):
        assert until(lambda: server.times_asked("horizontalpodautoscalers") > 20)  # ten a second
        assert server.times_asked("pods", watch=True, namespace="hotel") <= 10


def test_an_object_like_no_other_hides_none_of_the_rest(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("pods", pod("odd", containerStatuses=[7]))
    server.put("pods", pod("core-1"))
    with watched(server, folder):
        assert seen(folder, "pods", pod_is("core-1"))
        server.put("pods", pod("odd", containerStatuses=[8]))
        server.put("pods", pod("core-2"))
        assert seen(folder, "pods", pod_is("core-2"))
    assert len(told(folder, "puzzle")) == 1


def test_a_full_disk_loses_lines_and_says_how_many(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    folder.mkdir()
    (folder / "pods.jsonl").symlink_to("/dev/full")
    server.put("pods", pod("core-1"))
    server.put("horizontalpodautoscalers", hpa(2))
    with watched(server, folder):
        assert until(lambda: len(lines(folder, "hpas")) > 2)
    (end,) = [line for line in lines(folder, "watch") if line["what"] == "ended"]
    assert end["lines_lost"] >= 1


def test_a_silent_server_does_not_hold_up_the_end(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "STOP_WITHIN_S", 0.3)
    folder = tmp_path / "kubernetes"
    server.fail("pods", *[Failure(silent=True)] * 4)
    with watched(server, folder) as on:
        assert until(lambda: server.times_asked("pods") >= 1)
    written = lines(folder, "watch")
    assert written[-1]["what"] == "ended"
    on.stop()
    assert lines(folder, "watch") == written


def test_nothing_is_left_running(server: ApiServer, tmp_path: Path) -> None:
    with watched(server, tmp_path / "kubernetes"):
        assert any(thread.name.startswith("kubernetes ") for thread in threading.enumerate())
    assert not any(thread.name.startswith("kubernetes ") for thread in threading.enumerate())


def test_of_golives_own_namespace_only_this_runs_pods_and_events_are_kept(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    for run, name in (("R1", "golive-r1-worker-0"), ("R2", "golive-r2-worker-0")):
        about = {"name": name, "namespace": "golive", "labels": {"golive/run": run}}
        server.put("pods", {"metadata": about})
        server.put("events", event(name, "golive"))
    with watched(server, folder):
        assert seen(folder, "pods", pod_is("golive-r1-worker-0"))
        assert seen(folder, "events", lambda line: line["about"] == "Pod/golive-r1-worker-0")
    assert {line["name"] for line in lines(folder, "pods")} == {"golive-r1-worker-0"}
    assert {line["about"] for line in lines(folder, "events")} == {"Pod/golive-r1-worker-0"}


def event(name: str, namespace: str) -> Mapping[str, Any]:
    about = {"kind": "Pod", "name": name, "namespace": namespace}
    return {"metadata": {"name": f"{name}.1", "namespace": namespace}, "involvedObject": about, "reason": "Killing"}


def test_the_fingerprint_is_taken_at_both_ends(server: ApiServer, tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    server.put("horizontalpodautoscalers", hpa(2))
    with watched(server, folder):
        assert until(lambda: len(lines(folder, "fingerprint")) == 1)
    first, last = lines(folder, "fingerprint")
    assert first["hpas"] == last["hpas"] != {}
    assert first["unread"] == ["nodes: 403 forbidden"]
