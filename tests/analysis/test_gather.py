"""Pulling the evidence: everything asked once, on bad days too, and never an exception."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.evidence_files import Pulled, read_answer
from analysis.gather import Clock, gather
from analysis.promql import FIXED, OWN
from analysis.results import read_record
from scenarios.target import PrometheusQueries
from slo.evidence import NotSeen
from tests.analysis.platforms import Watched
from tests.analysis.records import T0, Synthetic
from tests.fakes import FakeMetrics, samples

RUN = Synthetic(warm_s=5, hold_s=20, watch_s=10)
NAMED = {
    "file_handles_limit",
    "connections_limit",
    "process_started",
}  # what may be missing and every target names, if nobody changes it
NAMES = {*OWN, *NAMED, *FIXED, "alerts", "scrapes"}


@dataclass
class FakeTime:
    now: float = T0 + 86_400.0
    slept_s: float = 0.0

    def clock(self) -> Clock:
        return Clock(now_unix_s=lambda: self.now, sleep_s=self.sleep_s)

    def sleep_s(self, duration_s: float) -> None:
        self.now += duration_s
        self.slept_s += duration_s


def gathered(folder: Path, metrics: FakeMetrics | NotSeen, time: FakeTime | None = None) -> dict[str, Any]:
    RUN.write(folder)
    gather(read_record(folder), metrics, (time or FakeTime()).clock())
    return {path.stem: json.loads(path.read_text()) for path in (folder / "evidence").glob("*.json")}


def test_every_series_is_written_with_its_query_server_and_window(tmp_path: Path) -> None:
    files = gathered(tmp_path, Watched(run=RUN).metrics())
    assert files.keys() == NAMES
    requests = files["requests"]
    assert requests["format"] == 1
    assert requests["query"] == PrometheusQueries().requests
    assert requests["server"] == "http://metrics.test:9090"
    assert (requests["start_unix_s"], requests["end_unix_s"]) == (T0 - 60, T0 + 35)
    assert (requests["step_s"], requests["fetched_unix_s"]) == (1.0, T0 + 86_400.0)
    assert requests["result"][0]["values"][0] == [T0 - 59, "5000"]


def test_kubernetes_is_asked_about_the_targets_namespace_only(tmp_path: Path) -> None:
    files = gathered(tmp_path, FakeMetrics())
    assert files["hpa_desired"]["query"] == FIXED["hpa_desired"] + '{namespace="hotel"}'
    assert files["hpa_condition"]["query"] == FIXED["hpa_condition"] + '{status="true",namespace="hotel"}'


def test_a_long_run_is_asked_in_steps_that_prometheus_answers(tmp_path: Path) -> None:
    Synthetic(warm_s=0, hold_s=4, rps=1, watch_s=40_000).write(tmp_path)
    gather(read_record(tmp_path), FakeMetrics(), FakeTime().clock())
    assert json.loads((tmp_path / "evidence" / "up.json").read_text())["step_s"] == 5.0


def test_a_refused_query_is_an_error_of_its_own(tmp_path: Path) -> None:
    metrics = Watched(run=RUN).metrics()
    metrics.refused = frozenset({PrometheusQueries().backlog})
    files = gathered(tmp_path, metrics)
    assert "refused the query" in files["backlog"]["error"]
    assert "result" not in files["backlog"]
    assert sum("error" in content for content in files.values()) == 1


@pytest.mark.parametrize("now", [RUN.load_end_unix_s + 0.2, RUN.load_end_unix_s + 9e4])
def test_a_dead_prometheus_is_asked_twice_and_then_no_more(tmp_path: Path, now: float) -> None:
    metrics = FakeMetrics(dead=True)
    files = gathered(tmp_path, metrics, FakeTime(now))
    assert len(metrics.asked) == 2
    assert files.keys() == NAMES
    assert all("does not answer" in content["error"] for content in files.values())


def test_no_prometheus_is_written_down_as_such(tmp_path: Path) -> None:
    files = gathered(tmp_path, NotSeen("no Prometheus was named for this target"))
    assert {content["error"] for content in files.values()} == {"no Prometheus was named for this target"}


def test_an_empty_query_is_not_asked(tmp_path: Path) -> None:
    target = replace(RUN.plan.target, queries=PrometheusQueries(backlog=" ", up=""))
    replace(RUN, plan_changes={"target": target}).write(tmp_path)
    metrics = FakeMetrics()
    gather(read_record(tmp_path), metrics, FakeTime().clock())
    assert read_answer(tmp_path / "evidence", "backlog") == NotSeen("this target names no query for backlog")
    assert read_answer(tmp_path / "evidence", "scrapes") == NotSeen("this target names no query for scrapes")
    assert not {"", " ", "[95s]"} & set(metrics.asked)


def test_the_judged_window_can_be_named_in_a_query(tmp_path: Path) -> None:
    target = replace(RUN.plan.target, queries=PrometheusQueries(backlog="max_over_time(depth[$window])"))
    replace(RUN, plan_changes={"target": target}).write(tmp_path)
    metrics = FakeMetrics()
    gather(read_record(tmp_path), metrics, FakeTime().clock())
    assert "max_over_time(depth[20s])" in metrics.asked


def test_right_after_the_load_a_scrape_of_its_end_is_waited_for(tmp_path: Path) -> None:
    time = FakeTime(now=RUN.load_end_unix_s + 0.2)
    metrics = FakeMetrics({PrometheusQueries().up: [samples({}, T0 + 0.5 + 2 * np.arange(30), 1)]})
    files = gathered(tmp_path, metrics, time)
    assert 1.0 <= time.slept_s <= 2.0
    assert files["scrapes"]["end_unix_s"] >= RUN.load_end_unix_s + 1


def test_a_slow_prometheus_is_given_the_time_it_takes(tmp_path: Path) -> None:
    time = FakeTime(now=RUN.load_end_unix_s + 0.2)
    metrics = FakeMetrics({PrometheusQueries().up: [samples({}, T0 - 59 + 15 * np.arange(8), 1)]})
    gathered(tmp_path, metrics, time)
    assert 5.5 <= time.slept_s <= 6.5  # the scrape after T0 + 16 comes at T0 + 31


def test_a_scrape_that_does_not_come_is_not_waited_for_long(tmp_path: Path) -> None:
    time = FakeTime(now=RUN.load_end_unix_s + 0.2)
    metrics = FakeMetrics({PrometheusQueries().up: [samples({}, [T0 + 3.0], 1)]})
    gathered(tmp_path, metrics, time)
    assert time.slept_s == pytest.approx(4.0, abs=0.5)


@pytest.mark.parametrize("metrics", [FakeMetrics(dead=True), FakeMetrics(), NotSeen("none")])
def test_nothing_is_waited_for_where_nothing_can_come(tmp_path: Path, metrics: FakeMetrics | NotSeen) -> None:
    time = FakeTime(now=RUN.load_end_unix_s + 0.2)
    gathered(tmp_path, metrics, time)
    assert time.slept_s == 0


def test_a_folder_that_cannot_be_written_ends_no_run(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    (tmp_path / "evidence").write_text("a file where the folder should be")
    gather(read_record(tmp_path), Watched(run=RUN).metrics(), FakeTime().clock())
    answer = read_answer(tmp_path / "evidence", "requests")
    assert answer == NotSeen("evidence/requests.json was not pulled")


def test_a_run_that_never_began_is_gathered_all_the_same(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    header = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**header, "t0_unix_s": None, "load_end_unix_s": None}))
    (tmp_path / "events.jsonl").write_text("")
    gather(read_record(tmp_path), FakeMetrics(), FakeTime().clock())
    assert isinstance(read_answer(tmp_path / "evidence", "requests"), Pulled)
