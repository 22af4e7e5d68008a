"""Up, down and what a kill leaves: each on a machine within the machine, which nobody else's cluster knows of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.artefacts.build import ensure
from tests.cluster.machine import Machine, machine
from tests.cluster.places import places
from tests.cluster.preflight import cannot_run

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here: images are unpacked once."""
    why_not = cannot_run(places())
    if why_not:
        pytest.skip(why_not)
    ensure(places(), print)
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def inner(cache: Path) -> Iterator[Machine]:
    with machine(cache) as fresh:
        yield fresh


def changes(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """What came (once for each) and what went, by kind."""
    came = {kind: [*(Counter(after[kind]) - Counter(before[kind])).elements()] for kind in before}
    went = {f"gone {kind}": [*(Counter(before[kind]) - Counter(after[kind])).elements()] for kind in before}
    return {kind: names for kind, names in {**came, **went}.items() if names}


def test_a_cluster_that_is_taken_down_leaves_nothing_behind(inner: Machine) -> None:
    before = inner.traces()
    inner.cluster("up")
    during = changes(before, inner.traces())
    assert set(during) == set(before)  # each kind has grown, and nothing is gone
    assert {"kube-apiserver", "etcd", "kubelet", "containerd"} <= set(during["processes"])
    inner.cluster("down")
    assert changes(before, inner.traces()) == {}
    assert "nothing to take down" in inner.cluster("down")


@pytest.mark.parametrize("line", ["network and certificates", "API server ready"])
def test_after_a_killed_up_the_next_one_works(inner: Machine, line: str) -> None:
    inner.kill_up_at(line)
    assert inner.cluster("status").strip() != "cluster: up"
    inner.cluster("up")
    assert inner.cluster("status").strip() == "cluster: up"


def test_after_a_killed_up_down_leaves_nothing(inner: Machine) -> None:
    before = inner.traces()
    inner.kill_up_at("node registered")
    assert inner.traces() != before
    inner.cluster("down")
    assert changes(before, inner.traces()) == {}


def test_a_cluster_whose_first_process_was_killed_comes_up_anew(inner: Machine) -> None:
    inner.cluster("up")
    first = json.loads((inner.places.run / "init.json").read_text())
    inner.run("kill", "-9", str(first["pid"]))
    assert inner.cluster("status").strip() != "cluster: up"
    inner.cluster("up")
    assert inner.cluster("status").strip() == "cluster: up"
