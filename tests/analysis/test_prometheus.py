"""The adapter on bad days: each ends soon, in words, without a secret."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from analysis.ports import MetricsUnreachable
from analysis.prometheus import Prometheus
from scenarios.errors import MetricsUnavailable

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def something_that(answers: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def says(status: int, body: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(body.encode())

    return answer


def asked(url: str, environment: dict[str, str] | None = None) -> str:
    with pytest.raises(MetricsUnavailable) as trouble:
        Prometheus(url, environment or {}, answer_within_s=0.3).query("up", at_unix_s=1.0)
    return str(trouble.value)


def test_a_dead_server_is_given_up_within_seconds() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    began_s = time.monotonic()
    with pytest.raises(MetricsUnreachable, match=r"does not answer: Connection refused\."):
        Prometheus(url, {}).query("up", at_unix_s=1.0)
    assert time.monotonic() - began_s < 3.0


def test_a_silent_server_is_given_up_in_time() -> None:
    with something_that(lambda _handler: time.sleep(0.6)) as url:
        assert "nothing came in time" in asked(url)


def test_something_else_at_the_address_is_not_a_prometheus() -> None:
    for body in ("<html>hello</html>", "[]", '{"data": 3}', ""):
        with something_that(says(200, body)) as url:
            assert "is not a Prometheus" in asked(url)


def test_an_error_page_is_no_prometheus_either() -> None:
    with something_that(says(404, "<h1>Not Found</h1>")) as url:
        assert "is not a Prometheus (status 404)" in asked(url)


def test_a_refused_query_is_told_in_prometheus_own_words() -> None:
    body = '{"status":"error","errorType":"bad_data","error":"1:5: parse error: no \\"le\\" here"}'
    with something_that(says(400, body)) as url:
        assert 'refused the query: 1:5: parse error: no "le" here' in asked(url)


def test_missing_credentials_are_asked_for_by_name() -> None:
    with something_that(says(401, "no")) as url:
        assert "GOLIVE_PROMETHEUS_TOKEN" in asked(url)


def test_credentials_are_sent_and_never_shown() -> None:
    seen: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        says(500, f'{{"error": "I was told {seen[-1]}"}}')(handler)

    with something_that(answer) as url:
        told = asked(url, {"GOLIVE_PROMETHEUS_TOKEN": "s3cret"})
        told += asked(url.replace("127", "user:hush@127"))
    assert seen[0] == "Bearer s3cret"
    assert seen[-1].startswith("Basic ")
    assert "s3cret" not in told
    assert "hush" not in told


def test_a_password_in_the_address_is_not_part_of_the_servers_name() -> None:
    assert Prometheus("https://me:hush@metrics.test:9090/prom/", {}).server == "https://metrics.test:9090/prom"


def test_a_scalar_is_one_sample_without_labels() -> None:
    with something_that(says(200, '{"data":{"resultType":"scalar","result":[12.5,"3"]}}')) as url:
        (scalar,) = Prometheus(url, {}).query("scalar(up)", at_unix_s=1.0)
    assert (scalar.at_unix_s.tolist(), scalar.values.tolist()) == ([12.5], [3.0])


def test_native_histograms_are_left_out() -> None:
    body = '{"data":{"result":[{"metric":{},"histogram":[1,{"count":"3"}]},{"metric":{"a":"b"},"value":[1,"2"]}]}}'
    with something_that(says(200, body)) as url:
        (series,) = Prometheus(url, {}).query("x", at_unix_s=1.0)
    assert series.labels == {"a": "b"}
