"""Locustfiles that cannot be run are refused in words before anything is raised, and the others are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loadtest.locustfile_check import check_locustfile, replaced_hosts, too_many_hosts
from scenarios.errors import PlanError

GOOD = """
import argparse, sys, threading, time
from locust import HttpUser, LoadTestShape, TaskSet, User, events, run_single_user, task

@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--tenant", default="a")

print("x" * 100_000)
threading.Thread(target=time.sleep, args=(60,)).start()

class Base(HttpUser):
    abstract = True

class Tasks(TaskSet):
    @task
    def one(self): ...

class Others(TaskSet):
    tasks = [Tasks]

Tasks.tasks.append(Others)

class Guest(Base):
    host = "http://localhost:8080"
    tasks = {Tasks: 1}

class Loop(User):
    def run(self): ...

class Chosen(User):
    def on_start(self):
        self.tasks = [Tasks]

if __name__ == "__main__":
    run_single_user(Guest)
"""
USER = "from locust import HttpUser, task\nclass Guest(HttpUser):\n    @task\n    def one(self): ...\n"


def refusal(folder: Path, text: str) -> str:
    (folder / "own.py").write_text(text)
    with pytest.raises(PlanError) as refused:
        check_locustfile(str(folder / "own.py"))
    return str(refused.value).replace(str(folder), "")


def test_what_a_file_lacks_here_its_pods_may_have_and_it_is_only_told(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(f"import not_installed_here\n{USER}")
    assert "not checked: " in check_locustfile(str(own), in_pods=True)
    own.write_text("from locust import User\n")
    with pytest.raises(PlanError, match="no User class"):
        check_locustfile(str(own), in_pods=True)


@pytest.mark.parametrize(
    ("text", "told", "remedy"),
    [
        ("class A(B)\n    pass", "/own.py:1: SyntaxError: expected ':' (in `class A(B)`)", "Mend"),
        ("\nimport not_there", "/own.py:2: ModuleNotFoundError: No module named 'not_there'", "Install the package"),
        ("import os\nos.environ['KEY']", "/own.py:2: KeyError: 'KEY' (in `os.environ['KEY']`)", "environment variable"),
        ("open('rows.csv')", "/own.py:1: FileNotFoundError: .*'rows.csv'", "the folder that golive was called in"),
        ("import sys\nsys.exit('no key')", "/own.py:2: SystemExit: no key", "give it what it asks for"),
        ("input()", "/own.py:1: EOFError", "Mend"),
        ("import os\nos._exit(0)", "/own.py ends Python itself", "to see why"),
        ("", "/own.py has no User class", "Write one"),
        (USER.replace("class Guest", "class A(HttpUser): ...\nclass Guest"), "/own.py: A has no tasks", "abstract"),
        (USER.replace("self): ...", "self): yield 1"), "/own.py: tasks with `yield` .*: Guest: one", "Write `def`"),
        (
            "from locust import TaskSet\n" + USER + "class In(TaskSet):\n    @task\n    async def two(self): ...\n"
            "Guest.tasks = {In: 1}", "/own.py: tasks with `yield` or `async` .*: Guest: two", "Write `def`",
        ),
        (
            "from locust import events\n" + USER + "@events.init_command_line_parser.add_listener\n"
            "def _(parser): parser.add_argument('--key', required=True)",
            "/own.py: Locust's command line refuses .*: --key", "`default`",
        ),
        (
            USER + "    host = 'http://a'\nclass B(Guest):\n    host = 'http://b/'",
            "/own.py names several hosts, http://a, http://b", "Split the file",
        ),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_run_is_told_with_its_place_and_a_remedy(
    tmp_path: Path, text: str, told: str, remedy: str
) -> None:
    said, advised = refusal(tmp_path, text).split("\n  Remedy: ")
    assert re.match(told if ".*" in told else re.escape(told), said), said
    assert remedy in advised


def test_an_ordinary_file_may_be_run_and_its_own_host_gives_way_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "with spaces"
    folder.mkdir()
    (folder / "my-own.py").write_text(GOOD)
    told = check_locustfile(str(folder / "my-own.py"))
    assert told == ("The target takes the place of the host of Guest (http://localhost:8080), as Locust's --host does.")


def test_hosts_that_are_one_and_the_same_are_no_problem() -> None:
    assert too_many_hosts(["http://a", "", "http://a/"]) == ""
    assert replaced_hosts({"Guest": ""}) == ""
