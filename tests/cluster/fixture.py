"""The pytest fixture `cluster`: one cluster a machine, brought up when it is first asked for.

A cluster that was up before stays up. One that a test session brought up goes with the last session that uses it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.access import Cluster
from tests.cluster.artefacts.build import known
from tests.cluster.lifecycle import Say, down, up
from tests.cluster.places import Places, places
from tests.cluster.preflight import cannot_run

BUILT_WITHIN_S = 2400  # the first test of all waits until Kubernetes is compiled


@pytest.hookimpl(tryfirst=True)  # before -m chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the cluster and give it the time to be built; it comes last: others have the machine."""
    for item in filter(_uses_cluster, items):
        item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.cluster)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(BUILT_WITHIN_S))
    items.sort(key=lambda item: (item.get_closest_marker("cluster") is not None, _uses_cluster(item)))


def _uses_cluster(item: pytest.Item) -> bool:
    return "cluster" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """A real one-node Kubernetes."""
    where = places()
    why_not = cannot_run(where)
    if why_not:
        pytest.skip(why_not)
    with shown(pytestconfig) as say, in_use(where, say):
        yield Cluster(places=where, artefacts=known(where))


@contextmanager
def in_use(where: Places, say: Say) -> Iterator[None]:
    """Have it up, and take it down with the last who uses it, unless it was up before them all."""
    where.cache.mkdir(parents=True, exist_ok=True)
    with (where.cache / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        if up(where, say):
            where.for_tests.touch()
        try:
            yield
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if where.for_tests.exists() and _nobody_else(users.fileno()):
                down(where, say)


def _nobody_else(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def shown(config: pytest.Config) -> Iterator[Say]:
    """Progress on the terminal, although pytest holds back what tests print."""
    capture = config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        if capture:
            with capture.global_and_fixture_disabled():
                print(f"\ncluster: {line}", end="", flush=True)  # noqa: T201

    yield say
