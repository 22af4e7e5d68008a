"""Locust's web UI beside somebody's own locustfile: it shows the users, and their load stays the plan's."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.driving import findings, verdict_of
from tests.end_to_end.locustfiles import LOCUSTFILE, broken_where_asked, counted, run_of, started, told_by_locust
from tests.http_server import CountingServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


class Browser:
    """Somebody at Locust's page, logged in with what golive told."""

    def __init__(self, said: Path) -> None:
        told = re.search(r"Locust's UI: (\S+) +user golive +password (\S+)", said.read_text())
        assert told, said.read_text()
        self._url, password = told.groups()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.posts("/golive-login", username="golive", password=password)

    def posts(self, path: str, **form: str) -> str:
        return self._asks(path, urllib.parse.urlencode(form).encode())

    def _asks(self, path: str, data: bytes | None = None) -> str:
        with self._opener.open(self._url + path, data=data, timeout=10) as answer:
            return str(answer.read().decode())

    def stats(self) -> dict[str, Any]:
        return dict(json.loads(self._asks("/stats/requests")))


@contextmanager
def loading(folder: Path, server: CountingServer) -> Iterator[tuple[subprocess.Popen[bytes], Browser]]:
    """A run of the locustfile with its page, once it sends; waited for whatever happens."""
    with started(folder, LOCUSTFILE, server.url, "--ui") as running:
        until_s = time.monotonic() + 40
        while server.total < 20:
            assert running.poll() is None, (folder / "said.txt").read_text()
            assert time.monotonic() < until_s, (folder / "said.txt").read_text()
            time.sleep(0.1)
        yield running, Browser(folder / "said.txt")


def test_the_page_shows_the_users_and_changes_neither_their_number_nor_their_host(tmp_path: Path) -> None:
    with CountingServer(broken_where_asked) as server, CountingServer() as elsewhere:
        with loading(tmp_path, server) as (running, browser):
            refused = json.loads(browser.posts("/swarm", user_count="60", spawn_rate="60", host=elsewhere.url))
            assert (refused["success"], "plan's" in refused["message"]) == (False, True)
            browser.posts("/stats/reset")
            time.sleep(2)
            assert browser.stats()["user_count"] == 6
            assert running.wait(60) in {1, 3}
        sent, _ = counted(run_of(tmp_path))
        assert server.total == sent.total() - sent["golive%2Elag"]
        assert elsewhere.total == 0
    assert told_by_locust(run_of(tmp_path))["Aggregated"] == sent.total()
    assert json.loads((run_of(tmp_path) / "run.json").read_text())["ended"] == "complete"
    assert findings(verdict_of(tmp_path)).keys() == {"closed-model"}


def test_its_stop_button_ends_the_users_and_the_run(tmp_path: Path) -> None:
    with CountingServer(broken_where_asked) as server:
        with loading(tmp_path, server) as (running, browser):
            browser.posts("/stop")
            assert running.wait(60) == 3
        sent, _ = counted(run_of(tmp_path))
        assert server.total - 6 <= sent.total() - sent["golive%2Elag"] <= server.total
    assert "cut-short" in findings(verdict_of(tmp_path))
