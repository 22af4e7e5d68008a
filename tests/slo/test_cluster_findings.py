"""What Kubernetes says against a measurement, each finding by its cause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slo.findings import find
from slo.validity import (
    Blindness,
    ClusterFacts,
    Finding,
    FindingKind,
    PlatformChange,
    PodEnd,
    PodFate,
    Severity,
    StartedTwice,
    Thresholds,
    WorkerFacts,
)  # fmt: skip
from tests.slo.builders import START, evidence, measurement

WELL = ClusterFacts(load_end_unix_s=START + 60)


def found(*, worker: WorkerFacts | None = None, **facts: Any) -> list[Finding]:
    workers = (worker or WorkerFacts(worker=0),)
    seen = measurement(workers=workers, cluster=replace(WELL, **facts))
    return list(find(seen, evidence(), Thresholds()))


def fate(end: PodEnd) -> PodFate:
    return PodFate(end=end, pod="w-0", node="node-7", at_unix_s=START + 20.0, cause="exit code 137")


def blindness(lasted_s: float, *, bridged: bool = False) -> Blindness:
    return Blindness(lasted_s=lasted_s, since_unix_s=START + 9.0, because="503 server error", bridged=bridged)


def test_a_cluster_that_stayed_as_it_was_speaks_against_nothing() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (PodEnd.OOM_KILLED, FindingKind.WORKER_OOM_KILLED), (PodEnd.EVICTED, FindingKind.WORKER_EVICTED),
        (PodEnd.NODE_DRAINED, FindingKind.NODE_DRAINED), (PodEnd.DELETED, FindingKind.WORKER_LOST),
        (PodEnd.FAILED, FindingKind.WORKER_LOST),
    ],
)  # fmt: skip
@pytest.mark.parametrize("noticed", [True, False])
def test_a_worker_taken_away_is_one_finding_with_cause_pod_node_and_time(
    end: PodEnd, kind: FindingKind, noticed: bool
) -> None:
    lost: dict[str, Any] = {"lost_at_unix_s": START + 19.0, "lost_because": "silent for 3.5 s"} if noticed else {}
    (finding,) = found(worker=WorkerFacts(worker=0, last_seq=19, fate=fate(end), **lost))
    assert (finding.kind, finding.severity, finding.at_unix_s) == (kind, Severity.VOIDS, START + 20)
    for word in ("pod w-0", "node node-7", end.value, "exit code 137", "14:13:40 UTC", "report 19", "5 s at most"):
        assert word in finding.what


def test_what_a_worker_handed_in_before_it_went_is_not_missing() -> None:
    (finding,) = found(worker=WorkerFacts(worker=0, last_seq=19, drained=True, fate=fate(PodEnd.EVICTED)))
    assert "It handed in its last counts (report 19)" in finding.what
    assert "nobody's counts" not in finding.what


def test_every_end_of_a_pod_has_its_remedy() -> None:
    assert len({found(worker=WorkerFacts(worker=0, fate=fate(end)))[0].remedy for end in PodEnd}) == len(PodEnd)


@pytest.mark.parametrize(("lasted_s", "kinds"), [(10.0, []), (10.1, [FindingKind.WATCH_BLIND])])
def test_a_watch_that_was_blind_for_too_long_is_found(lasted_s: float, kinds: list[FindingKind]) -> None:
    assert [finding.kind for finding in found(blindness=blindness(lasted_s))] == kinds


def test_a_gap_that_prometheus_bridges_is_only_told() -> None:
    assert [one.severity for one in found(blindness=blindness(30))] == [Severity.VOIDS]
    (bridged,) = found(blindness=blindness(30, bridged=True))
    assert bridged.severity is Severity.WARNS
    assert "Prometheus saw that stretch" in bridged.what


@pytest.mark.parametrize(("t", "severity"), [(-5, Severity.VOIDS), (60, Severity.VOIDS), (61, Severity.WARNS)])
def test_a_platform_that_changes_up_to_the_loads_end_is_another_one(t: float, severity: Severity) -> None:
    (finding,) = found(changes=(PlatformChange(at_unix_s=START + t, what="HPA core was deleted"),))
    assert (finding.kind, finding.severity) == (FindingKind.FINGERPRINT_CHANGED, severity)
    assert "HPA core was deleted" in finding.what


def test_an_index_in_two_pods_names_both() -> None:
    (finding,) = found(started_twice=(StartedTwice(worker=2, pod="b", kept_pod="a", at_unix_s=START + 1.0),))
    assert (finding.kind, finding.severity) == (FindingKind.WORKER_TWICE, Severity.WARNS)
    assert "worker 2 twice: pod b" in finding.what


def test_shared_nodes_and_unreadable_pieces_are_told() -> None:
    told = found(shared_nodes=("node-1 (worker 0; 3 of the platform's pods)",), unreadable=("pods.jsonl: line 3",))
    assert {one.severity for one in told} == {Severity.WARNS}
    assert [one.kind for one in told] == [FindingKind.WATCH_BLIND, FindingKind.BESIDE_TARGET]


def test_a_master_that_was_lost_says_why() -> None:
    seen = measurement(master_lost=True, master_lost_because="its pod m was evicted", cluster=WELL)
    (finding,) = find(seen, evidence(), Thresholds())
    assert finding.what == "The master was lost before it had all counts: its pod m was evicted."
