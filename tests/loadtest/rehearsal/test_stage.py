"""The stage on its real parts: it stands, it is seen, and nothing of it is left, however golive ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.loopback import free_port
from loadtest.rehearsal import stage as stage_module
from loadtest.rehearsal.part import Part
from loadtest.rehearsal.reaper import Reaper
from loadtest.rehearsal.stage import Stage, with_changes
from scenarios.errors import PlanError, UsageError
from scenarios.files import read_rehearsal
from tests.http_server import CountingServer

CONFIG: dict[str, Any] = {"namespace": "n", "services": [{"name": "core", "max": 8}], "faults": {}}


def test_a_change_goes_to_the_named_entry_and_leaves_the_file_alone() -> None:
    changed = with_changes(CONFIG, ["services.core.max=3", "faults.slow={core: 2.5}"])
    assert changed["services"][0]["max"] == 3
    assert changed["faults"] == {"slow": {"core": 2.5}}
    assert CONFIG["services"][0]["max"] == 8


@pytest.mark.parametrize("change", ["services.cor.max=3", "services.core.maxx=3", "max", "nowhere.a=1", "="])
def test_a_change_that_changes_nothing_is_refused(change: str) -> None:
    with pytest.raises(UsageError):
        with_changes(CONFIG, [change])


@pytest.mark.parametrize("value", ["[1,", "{a: 1, a: 2}", ".nan", "0450"])
def test_a_change_to_what_no_file_may_hold_is_refused_with_the_change(value: str) -> None:
    with pytest.raises(PlanError, match=r"services\.core\.max="):
        with_changes(CONFIG, [f"services.core.max={value}"])


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE]


def gone_within(pids: list[int], folder: Path, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while alive(pids) or folder.exists():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.1)
    return True


def asked(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=3) as answer:
        return json.loads(answer.read())


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline_s = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline_s:
        time.sleep(0.2)
    return holds()


@contextmanager
def standing(*changes: str, **options: Any) -> Iterator[Stage]:
    with (
        Reaper.start() as reaper,
        Stage.open(read_rehearsal("small"), reaper=reaper, changes=changes, **options) as stage,
    ):
        yield stage


def replicas(stage: Stage, service: str) -> int:
    return next(int(one["desired"]) for one in stage.admin.state()["services"] if one["name"] == service)


def firing(stage: Stage) -> set[str]:
    return {alert["labels"]["alertname"] for alert in asked(stage.alertmanager_url + "/api/v2/alerts")}


@pytest.mark.slow
def test_the_stage_stands_and_prometheus_sees_it() -> None:
    with standing() as stage:
        up = asked(stage.prometheus_url + "/api/v1/query?query=up")["data"]["result"]
        assert {sample["metric"]["job"]: sample["value"][1] for sample in up} == {
            "platform": "1",
            "kube-state-metrics": "1",
        }
        assert asked(stage.alertmanager_url + "/api/v2/status")["versionInfo"]
        assert stage.versions["prometheus"]
        assert re.fullmatch(r"small [0-9a-f]{12}", stage.versions["rehearsal"])
        assert stage.died_parts() == []
        assert stage.folder.stat().st_mode & 0o777 == 0o700
        pids, folder = [part.process.pid for part in stage.parts], stage.folder
    assert gone_within(pids, folder, 1)


@pytest.mark.slow
def test_nobody_outside_this_machine_reaches_the_stage() -> None:
    with standing() as stage:
        for part in stage.parts:
            listening = [at for at in psutil.Process(part.process.pid).net_connections() if at.status == "LISTEN"]
            assert {at.laddr.ip for at in listening} <= {"127.0.0.1"}
            assert listening or part.name == "autoscaler"


@pytest.mark.slow
def test_an_alert_fires_and_the_part_is_named_when_the_platform_dies() -> None:
    with standing(sync_s=1) as stage:
        stage.parts[0].process.kill()
        assert within(20, lambda: "ServiceDown" in firing(stage))
        assert stage.died_parts() == ["platform"]  # the autoscaler goes on looking
        assert stage.died_parts() == []


@pytest.mark.slow
def test_whoever_is_to_be_told_hears_of_an_alert_and_of_its_end() -> None:
    with CountingServer() as server, standing(sync_s=1, webhook_url=f"{server.url}/told") as stage:
        stage.admin.set_faults({"never_ready": ["billing"]})
        stage.admin.kill("billing", 1)
        assert within(30, lambda: server.requests["POST /told"] == 1)
        assert firing(stage) == {"ServiceWithoutReplicas"}
        stage.admin.set_faults({})
        assert within(30, lambda: server.requests["POST /told"] == 2)
        assert firing(stage) == set()


@pytest.mark.slow
def test_the_autoscaler_scales_what_is_busy() -> None:
    with standing("services.core.autoscaler.target=0.0001", sync_s=1) as stage:
        login = urllib.request.Request(stage.target_url + "/v1/auth/login", data=b'{"username":"a","password":"b"}')
        with urllib.request.urlopen(login, timeout=3) as answer:
            token = json.loads(answer.read())["access_token"]
        request = urllib.request.Request(
            stage.target_url + "/v1/availability?tenant_id=t&property_id=p&check_in=a&check_out=b",
            headers={"Authorization": f"Bearer {token}"},
        )

        def scaled_after_a_request() -> bool:
            urllib.request.urlopen(request, timeout=3).close()
            return replicas(stage, "core") > 2

        assert within(25, scaled_after_a_request)


@pytest.mark.slow
def test_a_configuration_that_the_platform_refuses_is_told_with_its_words() -> None:
    config = {**read_rehearsal("small"), "colour": "red"}
    with (
        Reaper.start() as reaper,
        pytest.raises(PlanError, match=r"refused its configuration.*colour"),
        Stage.open(config, reaper=reaper),
    ):
        pytest.fail("the stage stood")


@pytest.mark.slow
def test_an_autoscaler_that_cannot_be_is_refused_before_the_stage_stands() -> None:
    change = "services.core.autoscaler={metric: busy_ratio, target: 0.6, behaviour: {scaleup: {}}}"
    with pytest.raises(PlanError, match=r"services\.core\.autoscaler\.behaviour\.scaleup"), standing(change):
        pytest.fail("the stage stood")


@pytest.mark.slow
def test_a_port_that_somebody_took_in_between_is_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with CountingServer() as other:  # which also says that it is ready
        ports = [int(other.url.rpartition(":")[2])]
        monkeypatch.setattr(stage_module, "free_port", lambda: ports.pop() if ports else free_port())
        with standing() as stage:
            assert stage.alertmanager_url != other.url
            assert [part.name for part in stage.parts] == ["platform", "alertmanager", "prometheus", "autoscaler"]
            assert stage.died_parts() == []


@pytest.mark.slow
def test_a_tear_down_that_is_interrupted_is_finished_by_the_reaper(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Part) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), standing() as stage:
        monkeypatch.setattr(Part, "ask_to_end", interrupted)
    assert gone_within([part.process.pid for part in stage.parts], stage.folder, 1)
    for part in stage.parts:
        part.process.wait()


CHILD = """
import sys, time
from loadtest.rehearsal.reaper import Reaper
from loadtest.rehearsal.stage import Stage
from scenarios.files import read_rehearsal
with Reaper.start() as reaper, Stage.open(read_rehearsal("small"), reaper=reaper) as stage:
    print(stage.folder, reaper.process.pid, *(part.process.pid for part in stage.parts), flush=True)
    if sys.argv[1] == "raise":
        raise RuntimeError("on purpose")
    time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["kill -9", "SIGTERM", "Ctrl-C", "raise"])
def test_nothing_is_left_however_golive_ends(end: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, end], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdout
    folder, *pids = child.stdout.readline().split()
    numbers = {"kill -9": signal.SIGKILL, "SIGTERM": signal.SIGTERM, "Ctrl-C": signal.SIGINT}
    if end in numbers:
        os.kill(child.pid, numbers[end])
    child.wait(20)
    child.stdout.close()
    assert gone_within([int(pid) for pid in pids], Path(folder), 10)
