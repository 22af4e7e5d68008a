"""What a run writes into Grafana, against a small server that takes annotations as Grafana does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.annotations import TOKEN_VARIABLE, URL_VARIABLE, Annotator, Grafana, annotating
from loadtest.record import append_event
from scenarios.errors import UsageError
from tests.loadtest.fake_grafana import FakeGrafana, fake_grafana

TOKEN = "glsa_open-sesame"


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    with fake_grafana() as fake:
        yield fake


def a_run(folder: Path) -> Path:
    folder.mkdir()
    append_event(folder, "phase_started", at_unix_s=100.3, phase="ramp", judged=False, t0_unix_s=100.0)
    append_event(folder, "phase_started", at_unix_s=160.1, phase="hold", judged=True, t0_unix_s=160.0)
    append_event(folder, "worker_lost", at_unix_s=170.0, worker=1, because="silent for 3.5 s")
    append_event(folder, "worker_ready", at_unix_s=171.0, worker=1)
    append_event(folder, "load_ended", at_unix_s=200.25, because="the plan is complete")
    return folder


def test_phases_are_spans_and_troubles_are_marks(grafana: FakeGrafana, tmp_path: Path) -> None:
    told: list[str] = []
    Annotator(Grafana(grafana.url, TOKEN), a_run(tmp_path / "r42"), told.append).look()
    spans = [(one["text"], one["time"], one.get("timeEnd")) for one in grafana.kept.values()]
    assert spans == [
        ("golive r42: ramp (not judged)", 100_000, 160_000),
        ("golive r42: hold", 160_000, 200_250),
        ("golive r42: a worker was lost: silent for 3.5 s", 170_000, None),
        ("golive r42: the load ended: the plan is complete", 200_250, None),
    ]
    assert grafana.kept[2]["tags"] == ["golive", "run:r42", "phase:hold"]
    assert {one.get("dashboardUID") for one in grafana.kept.values()} == {"golive-run"}
    assert grafana.tokens == {f"Bearer {TOKEN}"}
    assert told == []


def test_what_happens_meanwhile_is_written_at_once_and_the_rest_at_the_close(
    grafana: FakeGrafana, tmp_path: Path
) -> None:
    environment = {URL_VARIABLE: grafana.url + "/", TOKEN_VARIABLE: TOKEN}
    folder = tmp_path / "r42"
    annotator = annotating(folder, environment, pytest.fail)
    assert annotator
    a_run(folder)
    annotator.close()
    assert len(grafana.kept) == 4


@pytest.mark.parametrize("status", [401, 500])
def test_a_grafana_that_refuses_is_told_once_without_the_token(
    grafana: FakeGrafana, tmp_path: Path, status: int
) -> None:
    grafana.status = status
    told: list[str] = []
    Annotator(Grafana(grafana.url, TOKEN), a_run(tmp_path / "r42"), told.append).look()
    assert len(told) == 1
    assert f"HTTP {status}" in told[0]
    assert TOKEN not in told[0]


def test_a_grafana_that_is_gone_or_slow_holds_nothing_up(
    grafana: FakeGrafana, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtest.annotations.ANSWER_WITHIN_S", 0.05)
    grafana.slow_s = 0.2
    told: list[str] = []
    for number, url in enumerate((grafana.url, "http://127.0.0.1:9")):
        Annotator(Grafana(url, TOKEN), a_run(tmp_path / f"r{number}"), told.append).look()
    assert len(told) == 2


def test_what_is_no_http_server_at_all_is_told_once_too(tmp_path: Path) -> None:
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet_as_another() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                    connection.recv(4096)

        threading.Thread(target=greet_as_another, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        Annotator(Grafana(url, TOKEN), a_run(tmp_path / "r42"), told.append).look()
        listening.shutdown(socket.SHUT_RDWR)
    assert len(told) == 1
    assert "took no annotation" in told[0]


def test_the_token_follows_no_redirect(grafana: FakeGrafana, tmp_path: Path) -> None:
    grafana.status, grafana.redirected_to = 302, grafana.url + "/elsewhere"
    told: list[str] = []
    Annotator(Grafana(grafana.url, TOKEN), a_run(tmp_path / "r42"), told.append).look()
    assert "HTTP 302" in told[0]


def test_the_token_is_not_in_what_golive_says_of_it() -> None:
    assert TOKEN not in repr(Grafana("http://grafana.test", TOKEN))


def test_without_an_address_there_is_no_grafana() -> None:
    assert Grafana.of({TOKEN_VARIABLE: TOKEN}) is None


@pytest.mark.parametrize(
    "environment",
    [{URL_VARIABLE: "http://grafana.test"}, {URL_VARIABLE: "grafana.test", TOKEN_VARIABLE: TOKEN},
     {URL_VARIABLE: "http://admin:secret@grafana.test", TOKEN_VARIABLE: TOKEN}],
)  # fmt: skip
def test_half_a_grafana_is_refused_with_what_to_do(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="do not name a Grafana") as refused:
        Grafana.of(environment)
    assert "secret" not in str(refused.value)
    assert TOKEN not in str(refused.value)
