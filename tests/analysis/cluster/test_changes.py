"""What counts as another platform than the one the run began with, and what does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from analysis.cluster.changes import changes_of
from analysis.cluster.record import read_cluster
from slo.validity import PlatformChange
from tests.analysis.cluster.clusters import WatchedCluster
from tests.analysis.records import T0, Synthetic

RUN = Synthetic()


def changes(folder: Path, **watched: Any) -> tuple[PlatformChange, ...]:
    cluster = read_cluster(WatchedCluster(run=RUN, **watched).write(RUN.write(folder)))
    assert cluster
    return changes_of(cluster)


def only(found: tuple[PlatformChange, ...]) -> tuple[float, str]:
    (change,) = found
    return round(change.at_unix_s - T0, 1), change.what


def test_to_scale_is_no_change(tmp_path: Path) -> None:
    assert changes(tmp_path) == ()


def test_a_new_pod_template_is_a_change(tmp_path: Path) -> None:
    found = only(changes(tmp_path, templates={12.0: "t2"}))
    assert found == (12.0, "Deployment core has a new pod template (t1 → t2)")


def test_a_deployment_that_is_put_back_has_changed_twice(tmp_path: Path) -> None:
    assert len(changes(tmp_path, templates={12.0: "t2", 15.0: "t1"})) == 2


def test_another_specification_of_an_hpa_is_a_change(tmp_path: Path) -> None:
    at, what = only(changes(tmp_path, spec=lambda t: "s1" if t < 14 else "s2"))
    assert (at, what) == (14.0, "HPA core has another specification")


def test_a_tag_that_was_pushed_again_is_a_change_in_the_first_pod_that_fetches_it(tmp_path: Path) -> None:
    at, what = only(changes(tmp_path, digests={10.0: "sha256:bbbbbbbbbbbbbbbb"}))
    assert at == 10.2
    assert what == (
        "shop/core:1 of Deployment/core is sha256:bbbbbbbbbbbb in pod core-2, and sha256:aaaaaaaaaaaa in older ones"
    )


def test_two_contents_that_were_there_before_the_watch_are_no_change(tmp_path: Path) -> None:
    old = {"at_unix_s": T0 - 10.0, "uid": "old", "namespace": "hotel", "name": "old", "owner": "Deployment/core",
           "created_unix_s": T0 - 999.0, "ready": True, "images": {"core": "shop/core:1"},
           "digests": {"core": "sha256:bbbbbbbbbbbbbbbb"}}  # fmt: skip
    assert changes(tmp_path, digests={10.0: "sha256:bbbbbbbbbbbbbbbb"}, more_pods=(old,)) == ()


def test_what_was_there_at_one_end_only_is_a_change(tmp_path: Path) -> None:
    folder = WatchedCluster(run=RUN).write(RUN.write(tmp_path))
    path = folder / "kubernetes" / "fingerprint.jsonl"
    first, last = map(json.loads, path.read_text().splitlines())
    last |= {"hpas": {"other": "s"}, "cluster_uid": "c2"}
    path.write_text(f"{json.dumps(first)}\n{json.dumps(last)}\n")
    cluster = read_cluster(folder)
    assert cluster
    assert [change.what for change in changes_of(cluster)] == ["cluster uid is c2, was c1", "HPA core was deleted"]


def test_a_fingerprint_that_could_not_be_read_at_the_end_is_no_change(tmp_path: Path) -> None:
    folder = WatchedCluster(run=RUN).write(RUN.write(tmp_path))
    path = folder / "kubernetes" / "fingerprint.jsonl"
    first = path.read_text().splitlines()[0]
    path.write_text(f"{first}\n{json.dumps({'at_unix_s': T0 + 30, 'unread': ['all: time-out']})}\n")
    cluster = read_cluster(folder)
    assert cluster
    assert changes_of(cluster) == ()
