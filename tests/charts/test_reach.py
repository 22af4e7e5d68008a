"""What the pods of `helm test` say, in each way it can come out."""

from __future__ import annotations

import importlib.util
import socket
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.charts.places import CHART

Answer = Callable[..., tuple[int, str]]
NOWHERE = "golive-master.invalid"


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("reach", CHART / "files" / "reach.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PAUSE_S", 0)
    monkeypatch.setattr(module, "REACHED_WITHIN_S", 0.1)
    return module


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def answer(reach: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Answer:
    def ask(expected: str, port: int, host: str = "127.0.0.1") -> tuple[int, str]:
        for name, value in {"EXPECTED": expected, "GOLIVE_MASTER_HOST": host, "GOLIVE_MASTER_PORT": str(port)}.items():
            monkeypatch.setenv(name, value)
        return reach.main(), capsys.readouterr().out

    return ask


def test_a_worker_that_reaches_the_master_is_right(answer: Answer, open_port: int) -> None:
    assert answer("reached", open_port) == (0, f"as it should be: 127.0.0.1:{open_port} is reached\n")


def test_a_worker_that_does_not_is_wrong(answer: Answer, closed_port: int) -> None:
    code, said = answer("reached", closed_port)
    assert code == 1
    assert "FAILED: a pod labelled as a worker does not reach" in said


def test_a_stray_pod_that_is_kept_out_is_right(answer: Answer, closed_port: int) -> None:
    code, said = answer("denied", closed_port)
    assert code == 0
    assert said.endswith("is denied\n")


def test_a_stray_pod_that_gets_in_shows_that_nothing_enforces(answer: Answer, open_port: int) -> None:
    code, said = answer("denied", open_port)
    assert code == 1
    assert "nothing enforces NetworkPolicies here" in said


def test_a_master_that_is_gone_proves_no_denial(answer: Answer, closed_port: int) -> None:
    code, said = answer("denied", closed_port, NOWHERE)
    assert code == 1
    assert "UNPROVEN" in said
