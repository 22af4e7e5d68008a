"""Where the load went, read from the record and from what the platform's Prometheus had."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.evidence import assemble
from analysis.evidence_files import Asked, write_answer
from analysis.ports import Series
from analysis.results import read_record
from scenarios.target import Target, TargetClass
from slo.findings import find
from slo.validity import FindingKind, Given, Measurement, Severity
from tests.analysis.records import T0, Synthetic

RUN = Synthetic()
STAGING = Target(name="hotel", url="http://127.0.0.1:8080", target_class=TargetClass.STAGING)


def seen(folder: Path, run: Synthetic = RUN, *given: tuple[int, str, int]) -> Measurement:
    """A run that gave so many requests to an address in a second after the start."""
    run.write(folder)
    lines = [
        {"second": T0 + t, "worker": 0, "seq": t + 1, "address": address, "requests": requests}
        for t, address, requests in given
    ]
    (folder / "addresses.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return assemble(read_record(folder))[1]


def counter(label: str, name: str, per_second: float, *, born: int = 0) -> Series:
    """A counter of one replica that grew so much each second, from `born` on."""
    at = np.arange(T0 + born, T0 + 36, dtype=np.float64)
    return Series(labels={label: name}, at_unix_s=at, values=per_second * np.arange(len(at), dtype=np.float64))


def pulled(folder: Path, name: str, *series: Series) -> None:
    asked = Asked(query=name, server="here", start_unix_s=T0, end_unix_s=T0 + 36, step_s=1.0, fetched_unix_s=T0 + 40)
    write_answer(folder / "evidence", name, asked, series)


def replicas(folder: Path, *series: Series, known: tuple[Series, ...] = ()) -> dict[str, tuple[float, float]]:
    RUN.write(folder)
    pulled(folder, "requests", *series)
    if known:
        pulled(folder, "replicas", *known)
    found = assemble(read_record(folder))[1].replicas
    return {one.name: (round(one.requests), round(one.there_ratio, 2)) for one in found}


def test_only_what_was_given_in_the_hold_counts_but_every_address_is_known(tmp_path: Path) -> None:
    facts = seen(tmp_path, RUN, (0, "10.0.0.1:80", 50), (0, "10.0.0.2:80", 0), (7, "10.0.0.1:80", 90))
    assert facts.addresses == (Given(name="10.0.0.1:80", requests=90), Given(name="10.0.0.2:80", requests=0))


def test_a_delta_that_was_written_twice_counts_once(tmp_path: Path) -> None:
    facts = seen(tmp_path, RUN, (7, "10.0.0.1:80", 90), (7, "10.0.0.1:80", 90))
    assert facts.addresses == (Given(name="10.0.0.1:80", requests=90),)


def test_a_record_of_before_addresses_were_written_knows_none(tmp_path: Path) -> None:
    RUN.write(tmp_path)
    assert assemble(read_record(tmp_path))[1].addresses == ()


@pytest.mark.parametrize("label", ["pod", "instance"])
def test_each_replica_has_what_it_counted_in_the_hold(tmp_path: Path, label: str) -> None:
    assert replicas(tmp_path, counter(label, "a", 30), counter(label, "b", 70)) == {"a": (600, 1.0), "b": (1400, 1.0)}


def test_series_that_do_not_name_their_replica_say_nothing_of_replicas(tmp_path: Path) -> None:
    assert replicas(tmp_path, counter("route", "/", 30), counter("route", "/rooms", 70)) == {}


def test_a_replica_that_came_in_mid_hold_has_a_share_of_the_time(tmp_path: Path) -> None:
    born = replicas(tmp_path, counter("pod", "a", 50), counter("pod", "b", 50, born=15))
    assert born == {"a": (1000, 1.0), "b": (500, 0.5)}


def test_a_replica_that_no_request_reached_is_known_by_the_targets_own_word(tmp_path: Path) -> None:
    ready = tuple(Series(labels={"pod": pod}, at_unix_s=np.array([T0, T0 + 36.0]), values=np.ones(2)) for pod in "ab")
    assert replicas(tmp_path, counter("pod", "a", 50), known=ready) == {"a": (1000, 1.0), "b": (0, 1.0)}


@pytest.mark.parametrize(
    ("address", "target", "severities"),
    [
        ("127.0.0.1:8080", STAGING, [Severity.WARNS]),
        ("[::1]:8080", STAGING, [Severity.WARNS]),
        ("10.0.0.1:8080", STAGING, []),
        ("127.0.0.1:8080", replace(STAGING, target_class=TargetClass.REHEARSAL), []),
    ],
)
def test_a_target_on_golives_own_machine_is_told_unless_it_is_a_rehearsal(
    tmp_path: Path, address: str, target: Target, severities: list[Any]
) -> None:
    run = replace(RUN, plan_changes={"target": target})
    facts = seen(tmp_path, run, (7, address, 90))
    evidence, _ = assemble(read_record(tmp_path))
    found = find(facts, evidence, run.plan.thresholds)
    assert [one.severity for one in found if one.kind is FindingKind.BESIDE_TARGET] == severities
