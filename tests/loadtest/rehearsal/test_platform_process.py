"""The rehearsal platform as a process: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadtest.rehearsal.binaries import rehearsal_platform
from tests.loadtest.rehearsal.running_platform import READ, read_answer, request_bytes, running, small_config

pytestmark = pytest.mark.slow


def refused(folder: Path, text: str, *more: str, code: int = 2) -> str:
    """What the platform says to a configuration it cannot use; another code: why else it does not start."""
    file = folder / "platform.json"
    file.write_text(text, encoding="utf-8")
    command = [str(rehearsal_platform()), "--config", str(file), *more]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (code, "", 1)
    return ended.stderr


def changed(*path: str | int, to: object) -> str:
    config: Any = small_config()
    place = config
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return json.dumps(config)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("colour",), "red", "colour"),
        (("services", 1, "colour"), "red", "services[1]"),
        (("services", 1, "concurrency"), "many", "services[1].concurrency"),
        (("services", 1, "min"), 0, "services[1].min"),
        (("services", 1, "start"), 50, "start 50"),
        (("services", 1, "name"), "api-gateway", "services[1].name"),
        (("services", 1, "time_ms"), {"p50": 9, "p99": 3}, "services[1].time_ms"),
        (("services", 1, "time_ms"), None, '"core" has no time_ms'),
        (("services", 0, "autoscaler", "target"), 0, "services[0].autoscaler.target"),
        (("routes", 0, "service"), "cote", "routes[0].service"),
        (("routes", 3, "queue"), "nowhere", "routes[3].queue"),
        (("queues", 0, "service"), "core", "queues[0].service"),
        (("database",), None, "routes[0].database_calls"),
        (("gateway",), "door", "gateway"),
        (("faults",), {"slow": {"cote": 2}}, "faults.slow.cote"),
        (("login",), {"path": "/login", "password_env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE"),
        (("login",), {"path": "/login", "token_secret_env": "NOT_SET_ANYWHERE"}, "login.token_secret_env"),
        (("connections",), {"drain_for_s": -1}, "connections.drain_for_s"),
    ],
)
def test_a_wrong_configuration_is_refused_by_field(
    tmp_path: Path, path: tuple[str | int, ...], value: object, says: str
) -> None:
    said = refused(tmp_path, changed(*path, to=value))
    assert says in said
    assert "Remedy:" in said


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    assert "Remedy:" in refused(tmp_path, "{cut")


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with running(small_config(), tmp_path) as platform:
        said = refused(tmp_path, json.dumps(small_config()), "--listen", platform.listen, code=1)
        assert platform.listen in said


def test_a_terminated_platform_ends_well(tmp_path: Path) -> None:
    with running(small_config(), tmp_path) as platform:
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(timeout=10) == 0


def test_a_platform_ends_with_whoever_started_it(tmp_path: Path) -> None:
    with running(small_config(), tmp_path) as platform:
        assert platform.process.stdin
        platform.process.stdin.close()
        assert platform.process.wait(timeout=10) == 0


def test_a_stopped_platform_can_be_terminated_while_frozen(tmp_path: Path) -> None:
    with running(small_config(), tmp_path) as platform:
        platform.admin.freeze(60)
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(timeout=10) == 0


def test_replicas_with_one_secret_open_to_each_others_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_SECRET", "between replicas")
    config = small_config(login={"path": "/login", "token_secret_env": "TOKEN_SECRET"})
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with running(config, folders[0]) as one, running(config, folders[1]) as other:
        assert other.ask("GET", READ, Authorization=f"Bearer {one.token()}")[0] == 200
    with running(small_config(), tmp_path) as stranger:
        assert stranger.ask("GET", READ, Authorization=f"Bearer {one_token(config, folders[0])}")[0] == 401


def one_token(config: dict[str, Any], folder: Path) -> str:
    with running(config, folder) as platform:
        return platform.token()


def test_a_draining_platform_answers_all_and_closes_each_connection_with_its_answer(tmp_path: Path) -> None:
    with running(small_config(connections={"drain_for_s": 1.5}), tmp_path) as platform:
        token, said = platform.token(), ""
        with platform.dial() as wire:
            platform.process.send_signal(signal.SIGTERM)
            while said != "close":
                wire.sendall(request_bytes(READ, token))
                status, headers, _ = read_answer(wire)
                assert status == 200
                said = headers.get("connection", "")
            assert platform.ask("GET", READ, Authorization=f"Bearer {token}")[0] == 200
        assert platform.process.wait(timeout=10) == 0
