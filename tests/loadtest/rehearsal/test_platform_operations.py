"""Scaling, faults and accidents through the admin's door, as clients and metrics then see them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scenarios.errors import StageFailed
from tests.loadtest.rehearsal.running_platform import (
    COMMAND,
    READ,
    Platform,
    read_answer,
    request_bytes,
    running,
    small_config,
)

pytestmark = pytest.mark.slow


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with running(small_config(), tmp_path) as platform:
        yield platform


def read_once(platform: Platform) -> int:
    return platform.ask("GET", READ, Authorization=f"Bearer {platform.token()}")[0]


def send_commands(platform: Platform, *keys: str) -> list[int]:
    token = platform.token()
    return [
        platform.ask("POST", COMMAND, body="{}", Authorization=f"Bearer {token}", X_Idempotency_Key=key)[0]
        for key in keys
    ]


def service(platform: Platform, name: str) -> dict[str, Any]:
    services: list[dict[str, Any]] = platform.admin.state()["services"]
    return next(found for found in services if found["name"] == name)


def queue(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = platform.admin.state()["queues"][0]
    return found


def elapsed_s(platform: Platform) -> float:
    token = platform.token()
    with platform.dial() as wire:
        began = time.monotonic()
        wire.sendall(request_bytes(READ, token))
        assert read_answer(wire)[0] == 200
        return time.monotonic() - began


def test_a_new_replica_is_starting_and_then_ready(platform: Platform) -> None:
    platform.admin.scale("core", 4)
    assert (service(platform, "core")["ready"], service(platform, "core")["starting"]) == (2, 2)
    time.sleep(0.4)
    assert (service(platform, "core")["ready"], service(platform, "core")["starting"]) == (4, 0)


def test_a_frozen_platform_answers_nothing_and_then_everything_in_order(platform: Platform) -> None:
    token = platform.token()
    with platform.dial() as before:
        platform.admin.freeze(0.6)
        began = time.monotonic()
        with platform.dial() as during:
            during.sendall(request_bytes(READ, token))
            before.sendall(request_bytes(READ, token))
            assert platform.metrics()  # the admin's door is another
            assert read_answer(before)[0] == read_answer(during)[0] == 200
        assert 0.55 < time.monotonic() - began < 2.0


def test_a_killed_gateway_replica_takes_its_connections_with_it(platform: Platform) -> None:
    with platform.dial() as wire:
        wire.sendall(request_bytes("/health", ""))
        read_answer(wire)
        platform.admin.kill("api-gateway", 2)
        assert wire.recv(1) == b""
    assert platform.ask("GET", "/health")[0] == 200  # it came back: ready at once


def test_with_every_replica_of_a_service_killed_clients_get_503_until_new_ones_are_ready(platform: Platform) -> None:
    platform.admin.kill("core", 2)
    assert read_once(platform) == 503
    time.sleep(0.4)
    assert read_once(platform) == 200


def test_replicas_that_never_become_ready_are_ready_once_it_is_mended(platform: Platform) -> None:
    platform.admin.set_faults({"never_ready": ["core"]})
    platform.admin.scale("core", 3)
    time.sleep(0.5)
    assert service(platform, "core")["ready"] == 2
    platform.admin.set_faults({})
    assert service(platform, "core")["ready"] == 3


@pytest.mark.parametrize("faults", [{"slow": {"core": 50.0}}, {"answer_delay_ms": 200}])
def test_faults_that_slow_are_felt_and_mended(platform: Platform, faults: dict[str, Any]) -> None:
    platform.admin.set_faults(faults)
    assert 0.2 < elapsed_s(platform) < 1.0
    platform.admin.set_faults({})
    assert elapsed_s(platform) < 0.2


def test_errors_are_answered_with_the_status_of_the_fault(platform: Platform) -> None:
    platform.admin.set_faults({"errors": {"core": {"ratio": 1.0, "status": 500}}})
    assert read_once(platform) == 500


def test_a_repeated_key_is_accepted_and_not_queued_again(platform: Platform) -> None:
    assert send_commands(platform, "a", "a", "b") == [202, 202, 202]
    assert (queue(platform)["accepted_total"], queue(platform)["repeated_total"]) == (2, 1)


def test_a_stopped_queue_grows_and_a_mended_one_is_worked_off(platform: Platform) -> None:
    platform.admin.set_faults({"queue_speed": {"commands": 0}})
    send_commands(platform, *map(str, range(10)))
    assert queue(platform)["depth"] == 10
    assert queue(platform)["oldest_s"] > 0
    platform.admin.set_faults({})
    time.sleep(0.4)
    assert (queue(platform)["depth"], queue(platform)["done_total"]) == (0, 10)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (lambda admin: admin.scale("cote", 2), "no service"),
        (lambda admin: admin.scale("core", 100_000), "between 0 and 1000"),
        (lambda admin: admin.set_faults({"slov": {}}), "slov"),
        (lambda admin: admin.set_faults({"slow": {"core": -1}}), "slow.core"),
        (lambda admin: admin.set_faults({"errors": {"core": {"ratio": "much"}}}), "errors.core.ratio"),
        (lambda admin: admin.freeze(-1), "for_s"),
        (lambda admin: admin.kill("cote", 1), "no service"),
        (lambda admin: admin.tell_autoscaler("worker", {"desired": 3}), "no autoscaler"),
    ],
)
def test_an_order_that_cannot_be_meant_is_refused_by_name(platform: Platform, order: Any, says: str) -> None:
    with pytest.raises(StageFailed, match=says):
        order(platform.admin)


# --- leaks: real ones, as the process' own figures show --------------------------------------------------


def figure(platform: Platform, name: str) -> float:
    (line,) = [line for line in platform.metrics().splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])


def grown(platform: Platform, name: str, before: float, by: float) -> bool:
    """Whether a figure grows by so much within ten seconds."""
    for _ in range(100):
        if figure(platform, name) >= before + by:
            return True
        time.sleep(0.1)
    return False


def test_leaked_memory_is_resident_ends_where_the_leak_ends_and_does_not_come_back(platform: Platform) -> None:
    before = figure(platform, "process_resident_memory_bytes")
    platform.admin.set_faults({"leaks": {"memory": {"per_second": 50e6, "at_most": 60e6}}})
    assert grown(platform, "process_resident_memory_bytes", before, 58e6)
    platform.admin.set_faults({})
    time.sleep(2.5)
    assert 58e6 < figure(platform, "process_resident_memory_bytes") - before < 70e6


def test_handles_are_lost_with_requests_and_without_them_none(platform: Platform) -> None:
    platform.admin.set_faults({"leaks": {"file_handles": {"per_request": 3}}})
    time.sleep(1.2)
    before = figure(platform, "process_open_fds")
    for _ in range(5):
        read_once(platform)  # a login and a read
    assert grown(platform, "process_open_fds", before, 30)
    assert figure(platform, "process_open_fds") < before + 35


def test_connections_that_are_never_closed_stay_open_though_their_clients_have_gone(platform: Platform) -> None:
    platform.admin.set_faults({"leaks": {"connections": 1}})
    before = figure(platform, "http_connections_open")
    for _ in range(6):
        platform.dial().close()
    assert grown(platform, "http_connections_open", before, 6)
    time.sleep(0.5)
    assert figure(platform, "http_connections_open") == before + 6
    assert read_once(platform) == 200


def test_a_leak_that_cannot_be_meant_is_refused(platform: Platform) -> None:
    with pytest.raises(StageFailed, match=r"leaks\.memory\.per_request"):
        platform.admin.set_faults({"leaks": {"memory": {"per_request": -1}}})
