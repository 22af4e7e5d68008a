"""The ways in which an API server fails, each told in our words and within its time: on the tests' own server only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis import kubernetes
from analysis.cluster.ports import ApiTrouble, Kind, Scope, Trouble
from analysis.kubernetes import Kubernetes
from tests.contracts.api_server import ApiServer, Failure, until

HERE = Scope(namespace="hotel")


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer().serving() as server:
        server.put("pods", {"metadata": {"name": "one", "namespace": "hotel"}})
        yield server


@pytest.fixture
def reader(server: ApiServer, tmp_path: Path) -> Kubernetes:
    return Kubernetes.of_kubeconfig(server.kubeconfig(tmp_path / "conf"))


def refused(reader: Kubernetes) -> ApiTrouble:
    with pytest.raises(ApiTrouble) as refusal:
        list(reader.pages(Kind.PODS, HERE))
    return refusal.value


def broken(reader: Kubernetes, version: str = "100", for_s: float = 1.0) -> ApiTrouble:
    with pytest.raises(ApiTrouble) as trouble:
        list(reader.watch(Kind.PODS, HERE, version=version, for_s=for_s))
    return trouble.value


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.UNAUTHORIZED), (403, Trouble.FORBIDDEN), (404, Trouble.NOT_FOUND), (409, Trouble.CONFLICT),
        (410, Trouble.GONE), (429, Trouble.TOO_MANY), (500, Trouble.SERVER), (503, Trouble.SERVER),
        (504, Trouble.TIMEOUT), (400, Trouble.NOT_KUBERNETES),
    ],
)  # fmt: skip
def test_each_status_has_its_trouble_and_the_servers_own_words(
    status: int, trouble: Trouble, server: ApiServer, reader: Kubernetes
) -> None:
    server.fail("pods", Failure(status=status))
    refusal = refused(reader)
    assert refusal.trouble is trouble
    assert refusal.said == f"told to fail with {status} (status {status})"
    assert server.times_asked("pods") == 1  # nothing is tried again behind our back


def test_a_server_under_load_says_when_to_come_back(server: ApiServer, reader: Kubernetes) -> None:
    server.fail("pods", Failure(status=429, retry_after_s=7))
    assert refused(reader).retry_after_s == 7


def test_an_answer_that_never_comes_is_a_time_out(
    server: ApiServer, reader: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "ANSWER_WITHIN_S", 0.3)
    monkeypatch.setattr(Kubernetes._requested, "__kwdefaults__", {"within_s": 0.3})
    server.fail("pods", Failure(silent=True))
    assert refused(reader).trouble is Trouble.TIMEOUT


def test_a_web_page_is_no_kubernetes(server: ApiServer, reader: Kubernetes) -> None:
    server.fail("pods", Failure(page=b"<html>Please log in</html>"))
    assert refused(reader).trouble is Trouble.NOT_KUBERNETES


def test_a_listing_without_a_version_is_no_kubernetes(server: ApiServer, reader: Kubernetes) -> None:
    server.fail("pods", Failure(page=b'{"items": []}'))
    assert refused(reader).trouble is Trouble.NOT_KUBERNETES


@pytest.mark.parametrize(("code", "trouble"), [(410, Trouble.GONE), (500, Trouble.SERVER), (401, Trouble.UNAUTHORIZED)])
def test_an_error_inside_a_watch_is_the_trouble_of_its_code(
    code: int, trouble: Trouble, server: ApiServer, reader: Kubernetes
) -> None:
    server.fail("pods", Failure(error_code=code), watch=True)
    assert broken(reader).trouble is trouble


def test_a_version_from_before_a_compaction_is_gone(server: ApiServer, reader: Kubernetes) -> None:
    server.forget()
    assert broken(reader, version="100").trouble is Trouble.GONE


def test_a_watch_that_breaks_off_in_a_line_is_cut(server: ApiServer, reader: Kubernetes) -> None:
    server.fail("pods", Failure(cut=True), watch=True)
    assert broken(reader).trouble is Trouble.CUT


def test_a_half_closed_watch_is_given_up_soon_after_its_time(
    server: ApiServer, reader: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "WATCH_GRACE_S", 0.3)
    server.fail("pods", Failure(frozen=True), watch=True)
    began_s = time.monotonic()
    assert broken(reader, for_s=0.5).trouble is Trouble.TIMEOUT
    assert time.monotonic() - began_s < 30  # and not when the connection is torn down


def test_a_server_that_goes_away_in_order_ends_its_watches(tmp_path: Path) -> None:
    with ApiServer().serving() as server:
        reader = Kubernetes.of_kubeconfig(server.kubeconfig(tmp_path / "conf"))
        watch = reader.watch(Kind.PODS, HERE, version="100", for_s=30)
        next(watch)
        assert until(lambda: server.times_asked("pods", watch=True) == 1)
    assert all(change.thing is None for change in watch)
