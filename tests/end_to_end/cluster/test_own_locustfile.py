"""An ordinary locustfile on a cluster: it travels to the pods, its users are counted there, nothing of it stays."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cluster.rehearsal import Platform
from tests.end_to_end.cluster.grounds import Grounds, a_plan

LOCUSTFILE = """\
from locust import HttpUser, constant_throughput, task


class Visitor(HttpUser):
    wait_time = constant_throughput(5)

    @task
    def look(self):
        self.client.get("/health", name="look")

    @task
    def miss(self):
        self.client.get("/nowhere", name="miss")
"""


def test_an_ordinary_locustfile_runs_in_pods_and_leaves_nothing(grounds: Callable[[Platform], Grounds]) -> None:
    ground = grounds(Platform(hpa=None, min_replicas=1))
    (ground.folder / "my visitors.py").write_text(LOCUSTFILE)
    words = ("--locustfile", "my visitors.py", "--users", "8", "--spawn-rate", "8", "--rate", "20")
    run = ground.launch(*words, plan=a_plan(climb="1s", hold="20s"), cpu="300m")
    run.end()
    lines = [json.loads(line) for line in (run.folder / "seconds.jsonl").read_text().splitlines()]
    sent = {name: sum(line["sent"] for line in lines if line["request"] == name) for name in ("look", "miss")}
    failed = {kind for line in lines for kind in line["failed"]}
    assert sum(sent.values()) > 400, run.said()  # eight users, five times a second, for twenty seconds and more
    assert min(sent.values()) > 100
    assert failed == {"status 404"}
    assert {line["worker"] for line in lines} == {0, 1}
    assert json.loads((run.folder / "run.json").read_text())["model"] == "closed"
    assert "closed-model" in run.findings
    assert run.verdict["outcome"] != "passed"  # half of it failed, and the platform's metrics leave /health out
    assert ground.left() == []
