"""The stage on its real parts: it stands, it is seen, and nothing of it is left, however golive ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtest.rehearsal.reaper import Reaper
from loadtest.rehearsal.stage import Stage, with_changes
from scenarios.errors import StageFailed, UsageError
from scenarios.files import read_rehearsal

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


@pytest.mark.slow
def test_the_stage_stands_and_prometheus_sees_it() -> None:
    with Reaper.start() as reaper, Stage.open(read_rehearsal("small"), reaper=reaper) as stage:
        up = asked(stage.prometheus_url + "/api/v1/query?query=up")["data"]["result"]
        assert {sample["metric"]["job"]: sample["value"][1] for sample in up} == {
            "platform": "1",
            "kube-state-metrics": "1",
        }
        assert asked(stage.alertmanager_url + "/api/v2/status")["versionInfo"]
        assert stage.versions["prometheus"]
        assert stage.died_parts() == []
        pids, folder = [part.process.pid for part in stage.parts], stage.folder
    assert gone_within(pids, folder, 1)


@pytest.mark.slow
def test_an_alert_fires_and_the_part_is_named_when_the_platform_dies() -> None:
    with Reaper.start() as reaper, Stage.open(read_rehearsal("small"), reaper=reaper) as stage:
        stage.parts[0].process.kill()
        deadline_s = time.monotonic() + 20
        firing: list[str] = []
        while "ServiceDown" not in firing and time.monotonic() < deadline_s:
            alerts = asked(stage.alertmanager_url + "/api/v2/alerts")
            firing = [alert["labels"]["alertname"] for alert in alerts]
            time.sleep(0.5)
        assert "ServiceDown" in firing
        assert stage.died_parts() == ["platform"]
        assert stage.died_parts() == []


@pytest.mark.slow
def test_the_autoscaler_scales_what_is_busy() -> None:
    changes = ["services.core.autoscaler.target=0.0001"]
    with (
        Reaper.start() as reaper,
        Stage.open(read_rehearsal("small"), reaper=reaper, changes=changes, sync_s=1) as stage,
    ):
        login = urllib.request.Request(stage.target_url + "/v1/auth/login", data=b'{"username":"a","password":"b"}')
        with urllib.request.urlopen(login, timeout=3) as answer:
            token = json.loads(answer.read())["access_token"]
        deadline_s = time.monotonic() + 25
        desired = 2
        while desired <= 2 and time.monotonic() < deadline_s:
            request = urllib.request.Request(
                stage.target_url + "/v1/availability?tenant_id=t&property_id=p&check_in=a&check_out=b",
                headers={"Authorization": f"Bearer {token}"},
            )
            urllib.request.urlopen(request, timeout=3).close()
            core = next(one for one in stage.admin.state()["services"] if one["name"] == "core")
            desired = core["desired"]
        assert desired > 2


@pytest.mark.slow
def test_a_configuration_that_the_platform_refuses_is_told_with_its_words() -> None:
    config = {**read_rehearsal("small"), "colour": "red"}
    with (
        Reaper.start() as reaper,
        pytest.raises(StageFailed, match="colour"),
        Stage.open(config, reaper=reaper),
    ):
        pytest.fail("the stage stood")


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
    assert gone_within([int(pid) for pid in pids], Path(folder), 12)
