"""An ordinary locustfile under golive: its counts, its verdict, its end. Real Locust processes, a real server."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from loadtest.closed_counts import MOST_NAMES
from tests.end_to_end.driving import GOLIVE, HOLD_S, USUAL, findings, outcomes, verdict_of
from tests.end_to_end.locustfiles import LOCUSTFILE, SHAPE, broken_where_asked, counted, run_of, started, told_by_locust
from tests.http_server import CountingServer, an_answer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_an_ordinary_locustfile_runs_and_its_counts_are_locusts_and_the_servers(tmp_path: Path) -> None:
    with CountingServer(broken_where_asked) as server:
        assert started(tmp_path, LOCUSTFILE + SHAPE, server.url).wait(90) in {1, 3}
        reached = server.total
    run = run_of(tmp_path)
    sent, failed = counted(run)
    locusts = told_by_locust(run)
    assert locusts.pop("Aggregated") == sent.total()
    escaped = {"fast, broken!": "fast%2C broken%21", "golive.lag": "golive%2Elag"}
    assert sent == Counter({escaped.get(name, name): count for name, count in locusts.items()})
    assert reached == sent.total() - sent["golive%2Elag"]
    assert failed == Counter({
        "/broken: status 503": sent["/broken"], "fast%2C broken%21: status 503": sent["fast%2C broken%21"],
        "judged: check": sent["judged"],
    })  # fmt: skip
    verdict = verdict_of(tmp_path)
    assert [finding["kind"] for finding in verdict["findings"]].count("closed-model") == 1
    assert json.loads((run / "run.json").read_text())["model"] == "closed"
    assert "Closed model" in (run / "report.html").read_text()
    assert "Closed model" in (tmp_path / "said.txt").read_text()
    throughput = next(one for one in verdict["judgements"] if one["kind"] == "throughput")
    assert throughput["target"].startswith("≥ 5 rps")


def test_golive_stop_ends_the_users_within_seconds(tmp_path: Path) -> None:
    with CountingServer(broken_where_asked) as server:
        running = started(tmp_path, LOCUSTFILE, server.url)
        deadline_s = time.monotonic() + 40
        while server.total < 20:
            assert time.monotonic() < deadline_s, (tmp_path / "said.txt").read_text()
            time.sleep(0.1)
        subprocess.run([str(GOLIVE), "stop"], cwd=tmp_path, check=True)
        assert running.wait(60) == 3
        assert counted(run_of(tmp_path))[0].total() >= server.total
    assert json.loads((run_of(tmp_path) / "run.json").read_text())["ended"] == "stopped"


def test_a_host_of_its_own_gives_way_to_the_target_and_several_are_refused(tmp_path: Path) -> None:
    one, several = tmp_path / "one", tmp_path / "several"
    own_host = LOCUSTFILE.replace("(HttpUser):", '(HttpUser):\n    host = "http://x.test"')
    own_hosts = own_host.replace("(FastHttpUser):", '(FastHttpUser):\n    host = "http://y.test"')
    for folder in (one, several):
        folder.mkdir()
    with CountingServer(broken_where_asked) as server:
        assert started(several, own_hosts, server.url).wait(90) == 2
        assert server.total == 0
        assert started(one, own_host, server.url).wait(90) in {1, 3}
        sent, _ = counted(run_of(one))
        assert server.total == sent.total() - sent["golive%2Elag"]
    assert "several hosts, http://x.test, http://y.test" in " ".join((several / "said.txt").read_text().split())
    assert "takes the place of the host of Plain (http://x.test)" in (one / "said.txt").read_text()


def test_a_limit_that_the_users_failures_pass_ends_them_and_the_verdict_says_so(tmp_path: Path) -> None:
    async def broken(_line: str, _number: int) -> bytes:
        return an_answer(503)

    stops_early = {f"{HOLD_S}s": "60s", "THRESHOLDS": USUAL["THRESHOLDS"] + "\nabort: {failed_for_s: 2.0}"}
    with CountingServer(broken) as server:
        assert started(tmp_path, LOCUSTFILE, server.url, **stops_early).wait(100) == 1
        reached = server.total
        time.sleep(1)
        assert server.total == reached, "users go on"
    run = run_of(tmp_path)
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    (abort,) = [event for event in events if event["event"] == "abort"]
    assert abort["limit"] == "failed_for_s"
    assert json.loads((run / "run.json").read_text())["ended"] == "aborted"
    sent, _ = counted(run)
    assert reached == sent.total() - sent["golive%2Elag"]
    assert len({json.loads(line)["second"] for line in (run / "seconds.jsonl").read_text().splitlines()}) < 50
    verdict = verdict_of(tmp_path)
    assert outcomes(verdict)["error-rate"] == "missed"
    assert "cut-short" in findings(verdict)


HEEDLESS = """\
import itertools
from locust import FastHttpUser, constant, task

numbers = itertools.count()


class Heedless(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def item(self):
        for _ in range(10):
            self.client.get(f"/item/{next(numbers)}\\u2028")

    @task
    def wrong(self):
        assert self.client.get("/ok", name="wrong").status_code == 201, "not created"
"""


def test_tasks_that_raise_prove_nothing_and_names_without_end_have_one_row(tmp_path: Path) -> None:
    with CountingServer() as server:
        assert started(tmp_path, HEEDLESS, server.url).wait(90) == 3
        sent, _ = counted(run_of(tmp_path))
        assert sent.total() == server.total
    assert len(sent) <= 2 * MOST_NAMES + 1
    verdict = verdict_of(tmp_path)
    assert f"{sent['(other names)']:,} are told together" in findings(verdict)["names-folded"]
    raised = findings(verdict)["users-raised"]
    assert f"{sent['wrong']:,} times" in raised
    assert "AssertionError at line 17 of own.py: not created" in raised
    assert set(outcomes(verdict).values()) == {"unproven"}
    assert "(other names)" in (run_of(tmp_path) / "report.html").read_text()


LISTENS = """\
from locust import HttpUser, constant, events, task
from locust.runners import MasterRunner


@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--tenant", default="blue")


@events.test_start.add_listener
def begins(environment, **_):
    print("begins for", environment.parsed_options.tenant)


@events.quitting.add_listener
def ends(environment, **_):
    if isinstance(environment.runner, MasterRunner) and environment.stats.total.fail_ratio < 2:
        environment.process_exit_code = 7


class Plain(HttpUser):
    wait_time = constant(0.1)

    @task
    def ok(self):
        self.client.get("/ok")
"""


def test_listeners_and_options_of_a_locustfile_work_and_its_own_exit_code_is_told(tmp_path: Path) -> None:
    with CountingServer() as server:
        assert started(tmp_path, LISTENS, server.url).wait(90) in {0, 3}
        assert counted(run_of(tmp_path))[0].total() == server.total
    assert "exit code 7" in findings(verdict_of(tmp_path))["own-exit-code"]
    assert "begins for blue" in (run_of(tmp_path) / "locust" / "worker-0.log").read_text()


ENDS_ITSELF = """\
from locust import HttpUser, constant, task


class Plain(HttpUser):
    wait_time = constant(0.05)
    sent = 0

    @task
    def ok(self):
        self.client.get("/ok")
        self.sent += 1
        if self.sent > 40:
            self.environment.runner.HOW()
"""


def test_a_shape_that_ends_before_the_hold_cuts_it_short_and_is_named(tmp_path: Path) -> None:
    short = SHAPE.replace("return (6, 6)", "return (6, 6) if self.get_run_time() < 3 else None")
    with CountingServer(broken_where_asked) as server:
        assert started(tmp_path, LOCUSTFILE + short, server.url).wait(90) in {1, 3}
        sent, _ = counted(run_of(tmp_path))
        assert server.total == sent.total() - sent["golive%2Elag"]
    assert "a shape that ended" in findings(verdict_of(tmp_path))["cut-short"]


@pytest.mark.parametrize("how", ["stop", "quit"])
def test_users_that_the_locustfile_itself_ends_are_counted_to_the_last_and_prove_nothing(
    tmp_path: Path, how: str
) -> None:
    with CountingServer() as server:
        assert started(tmp_path, ENDS_ITSELF.replace("HOW", how), server.url).wait(90) == 3
        sent, _ = counted(run_of(tmp_path))
        # Of each of the six users Locust may cut one request off.
        assert server.total - 6 <= sent.total() <= server.total
    verdict = verdict_of(tmp_path)
    assert "the locustfile ended its users" in findings(verdict)["worker-lost"]
    assert "met" not in outcomes(verdict).values()


LEAKING = """\
from locust import HttpUser, constant, task

kept = []


class Plain(HttpUser):
    wait_time = constant(0.1)

    @task
    def ok(self):
        self.client.get("/ok")
        if LEAKS:
            kept.append(open("/dev/null"))
"""


@pytest.mark.parametrize("leaks", [True, False], ids=["leaks", "does not"])
def test_a_locustfile_that_leaks_is_told_and_one_that_does_not_is_not(tmp_path: Path, leaks: bool) -> None:
    for_long = {f"{HOLD_S}s": "28s", "THRESHOLDS": USUAL["THRESHOLDS"].replace("}", ", growth_seen_s: 15}")}
    with CountingServer() as server:
        started(tmp_path, LEAKING.replace("LEAKS", str(leaks)), server.url, **for_long).wait(100)
    told = findings(verdict_of(tmp_path)).get("generator-grows", "")
    assert ("file handles" in told) == leaks
