"""What must not run out, read back from a record: process by process, life by life, with the limit of each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence_files import Asked, write_answer
from analysis.own_resources import own_handles, own_memory
from analysis.ports import Series
from analysis.resources import called, resources_of
from analysis.results import read_record
from scenarios.target import PrometheusQueries
from slo.evidence import NotSeen
from slo.objective import Resource
from slo.resource import ResourceSeries
from tests.analysis.records import T0, Synthetic
from tests.fakes import samples

RUN = Synthetic(warm_s=0, hold_s=20, watch_s=2)
POD = {"pod": "core-1", "container": "app", "namespace": "hotel"}
AT = T0 + np.arange(20.0)


def told(folder: Path, run: Synthetic = RUN, **evidence: list[Series] | NotSeen) -> None:
    run.write(folder)
    asked = Asked(query="q", server="http://m", start_unix_s=T0, end_unix_s=T0 + 22, step_s=1.0, fetched_unix_s=T0 + 30)
    for name, series in evidence.items():
        write_answer(folder / "evidence", name, asked, series if isinstance(series, NotSeen) else tuple(series))


def seen(folder: Path, of: Resource, run: Synthetic = RUN, **evidence: Any) -> tuple[ResourceSeries, ...]:
    told(folder, run, **evidence)
    found = resources_of(read_record(folder))[of]
    assert not isinstance(found, NotSeen), found
    return found


def test_each_process_has_a_series_named_and_grouped_by_its_labels(tmp_path: Path) -> None:
    other = {**POD, "pod": "core-2"}
    found = seen(tmp_path, "memory", memory=[samples(POD, AT, 5e8), samples(other, AT, 6e8)])
    assert [(one.name, one.group, one.value[0]) for one in found] == [
        ("core-1 (app)", "app", 5e8), ("core-2 (app)", "app", 6e8),
    ]  # fmt: skip


def test_a_limit_belongs_to_the_same_pod_and_container_whoever_tells_it(tmp_path: Path) -> None:
    app = samples({**POD, "instance": "10.0.0.1:3000"}, AT, 5e8)
    teller = {"instance": "10.0.0.9:8080", "resource": "memory"}
    limits = [samples({**POD, **teller, "pod": "core-2"}, AT, 1e9), samples({**POD, **teller}, AT, 2e9)]
    (one,) = seen(tmp_path, "memory", memory=[app], memory_limit=limits)
    assert one.limit == 2e9


def test_no_limit_is_none_and_so_are_zero_and_infinity(tmp_path: Path) -> None:
    for number, limits in enumerate(([], [samples(POD, AT, 0.0)], [samples(POD, AT, np.inf)])):
        (one,) = seen(tmp_path / str(number), "memory", memory=[samples(POD, AT, 5e8)], memory_limit=limits)
        assert one.limit is None


def test_a_process_started_anew_is_another_life(tmp_path: Path) -> None:
    started = samples(POD, AT, np.where(AT < T0 + 12, T0 - 500, T0 + 11))
    lives = seen(tmp_path, "file_handles", file_handles=[samples(POD, AT, AT - T0)], process_started=[started])
    assert [(len(life.value), life.value[0]) for life in lives] == [(12, 0.0), (8, 12.0)]
    assert [life.name for life in lives] == ["core-1 (app)", "core-1 (app), started anew (1)"]
    assert {life.group for life in lives} == {"app"}


def test_where_nobody_tells_of_starts_memory_that_halves_is_another_life(tmp_path: Path) -> None:
    sawtooth = samples(POD, AT, 1e8 + 5e7 * ((AT - T0) % 10))
    assert len(seen(tmp_path / "a", "memory", memory=[sawtooth])) == 2
    steady = [samples(POD, AT, T0 - 500.0)]
    assert len(seen(tmp_path / "b", "memory", memory=[sawtooth], process_started=steady)) == 1


def test_connections_that_drop_are_no_other_life(tmp_path: Path) -> None:
    assert len(seen(tmp_path, "connections", connections=[samples(POD, AT, 100.0 - 90 * (AT > T0 + 9))])) == 1


def test_handles_are_told_without_the_connections_of_the_same_process(tmp_path: Path) -> None:
    open_then = 100.0 + 50 * np.sin(AT)
    other = samples({**POD, "pod": "core-10"}, AT, 7.0)
    (one,) = seen(
        tmp_path, "file_handles", file_handles=[samples(POD, AT, 20.0 + open_then)],
        connections=[other, samples(POD, AT, open_then)], file_handles_limit=[samples(POD, AT, 1024.0)],
    )  # fmt: skip
    assert one.name == "core-1 (app), besides connections"
    assert np.allclose(one.value, 20.0)
    assert one.limit == 1024.0
    assert 50 < one.taken < 150


def test_connections_of_nobody_in_particular_or_more_than_all_handles_are_not_taken_away(tmp_path: Path) -> None:
    for number, its in enumerate(([samples({}, AT, 5.0)], [samples(POD, AT, 900.0)], [])):
        handles = [samples(POD, AT, 20.0)]
        (one,) = seen(tmp_path / str(number), "file_handles", file_handles=handles, connections=its)
        assert (one.value[0], one.taken) == (20.0, 0.0)


def test_what_prometheus_could_not_tell_is_said_with_its_reason(tmp_path: Path) -> None:
    told(tmp_path, memory=NotSeen("Prometheus was down"), file_handles=[])
    found = resources_of(read_record(tmp_path))
    assert found["memory"] == NotSeen("Prometheus was down")
    assert found["file_handles"] == NotSeen("http://m knows no series for q")
    assert isinstance(found["connections"], NotSeen)


def test_a_target_without_a_count_of_connections_is_judged_by_golives_own_handles(tmp_path: Path) -> None:
    target = replace(RUN.plan.target, queries=PrometheusQueries(connections=""))
    (one,) = seen(tmp_path, "connections", replace(RUN, plan_changes={"target": target}))
    assert one.name == "golive's worker 0"
    assert one.source == "golive's own word"


def test_golives_own_processes_are_read_from_the_record_and_an_older_one_lacks_handles(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    record = read_record(tmp_path)
    assert [one.name for one in own_memory(record)] == ["golive's worker 0", "golive's master"]
    assert [one.value[0] for one in own_handles(record)] == [40, 25]
    older = replace(record, workers=record.workers.assign(open_fds=0), master=record.master.iloc[:0])
    assert own_handles(older) == ()
    assert len(own_memory(older)) == 1


def test_a_process_without_a_pod_is_called_by_its_job_and_instance() -> None:
    assert called({"job": "platform", "instance": "127.0.0.1:9"}) == "platform 127.0.0.1:9"
    assert called({}) == "the platform"


LABELS = st.dictionaries(st.sampled_from(["pod", "container", "instance", "job"]), st.text(max_size=5))


@given(labels=LABELS)
def test_every_process_has_a_name(labels: dict[str, str]) -> None:
    assert called(labels)
