"""How the master of a run on a cluster is: waited for until its Job has made it, and gone only after that."""

from __future__ import annotations

from typing import Any, cast

import pytest

from loadtest.cluster.api import Api
from loadtest.cluster.remote_run import RemoteRun


class Listing:
    """An API that has these pods and Jobs of the run."""

    def __init__(self, *, pods: list[dict[str, Any]], jobs: list[dict[str, Any]]) -> None:
        self._held = {"pods": pods, "jobs": jobs}

    def get(self, path: str, *, labelSelector: str) -> dict[str, Any]:  # noqa: N803  (Kubernetes' own name)
        assert labelSelector == "golive/run=r1,app.kubernetes.io/component=master"
        return {"items": self._held[path.rsplit("/", 1)[1]]}


def a_run(*, pods: list[dict[str, Any]] | None = None, jobs: list[dict[str, Any]] | None = None) -> RemoteRun:
    api = Listing(pods=pods or [], jobs=jobs or [])
    return RemoteRun(api=cast("Api", api), namespace="golive", run_id="r1")


@pytest.mark.parametrize(
    "status", [{}, {"startTime": "2026-01-01T00:00:00Z", "ready": 0, "active": 0, "uncountedTerminatedPods": {}}]
)
def test_a_job_that_has_not_made_its_pod_yet_is_waited_for(status: dict[str, Any]) -> None:
    fate = a_run(jobs=[{"status": status}]).master()
    assert (fate.phase, fate.is_over) == ("Pending", False)
    assert fate.because == "its Job has not made it yet"


@pytest.mark.parametrize(
    "status", [{"active": 1}, {"failed": 1}, {"succeeded": 1}, {"conditions": [{"type": "Failed"}]}]
)
def test_a_pod_that_was_made_and_is_not_there_is_gone(status: dict[str, Any]) -> None:
    assert a_run(jobs=[{"status": status}]).master().phase == "Gone"


def test_without_its_job_it_is_gone() -> None:
    assert a_run().master().phase == "Gone"


def test_a_pod_that_is_there_tells_for_itself() -> None:
    pod = {"metadata": {"name": "m"}, "status": {"phase": "Running"}}
    assert a_run(pods=[pod], jobs=[{"status": {}}]).master().phase == "Running"
