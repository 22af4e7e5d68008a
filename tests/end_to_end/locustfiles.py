"""Somebody's ordinary locustfile, driven by golive at a server of the tests' own, and what was counted of it."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import Counter
from pathlib import Path

from tests.end_to_end.driving import GOLIVE, laid_out
from tests.http_server import an_answer

LOCUSTFILE = """\
from locust import FastHttpUser, HttpUser, LoadTestShape, User, constant, task


class Plain(HttpUser):
    wait_time = constant(0.05)

    @task(3)
    def ok(self):
        self.client.get("/ok", name="ok")

    @task
    def broken(self):
        self.client.get("/broken")

    @task
    def judged(self):
        with self.client.get("/ok", name="judged", catch_response=True) as answer:
            answer.failure("not what I wanted")


class Fast(FastHttpUser):
    wait_time = constant(0.05)

    @task
    def broken(self):
        self.client.get("/broken", name="fast, broken!")


class Custom(User):
    wait_time = constant(0.1)

    @task
    def event(self):
        self.environment.events.request.fire(
            request_type="custom", name="golive.lag", response_time=1.5, response_length=7, exception=None, context={}
        )
"""
SHAPE = """

class Six(LoadTestShape):
    def tick(self):
        return (6, 6)
"""


async def broken_where_asked(line: str, _number: int) -> bytes:
    return an_answer(503 if "broken" in line else 200)


def started(folder: Path, locustfile: str, url: str, *options: str, **changes: str) -> subprocess.Popen[bytes]:
    laid_out(folder, url, **changes)
    (folder / "own.py").write_text(locustfile)
    command = [str(GOLIVE), "run", "short.yaml", "--target", "here", "--locustfile", "own.py", "--rate", "5"]
    command += ["--users", "6", "--spawn-rate", "6", *options]
    with (folder / "said.txt").open("w") as said:
        return subprocess.Popen(command, cwd=folder, stdout=said, stderr=said)


def run_of(folder: Path) -> Path:
    (found,) = (folder / "results").iterdir()
    return found


def counted(run: Path) -> tuple[Counter[str], Counter[str]]:
    """Requests and failures of the record, by name."""
    sent: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for entry in map(json.loads, (run / "seconds.jsonl").read_text().strip().split("\n")):
        sent[entry["request"]] += entry["sent"]
        failed.update({f"{entry['request']}: {kind}": count for kind, count in entry["failed"].items()})
    return sent, failed


def told_by_locust(run: Path) -> dict[str, int]:
    """Requests of Locust's own CSV, by name."""
    with (run / "locust" / "stats_stats.csv").open() as table:
        return {row["Name"]: int(row["Request Count"]) for row in csv.DictReader(table)}
