"""The failure kinds of Python are those of the engine, and what is said of them is what the engine counts."""

from __future__ import annotations

import pytest

from loadtest._engine import failure_kinds
from scenarios.failure_kinds import KINDS, is_nobody_there, is_unavailable, may_not_arrive, meaning_of


def test_the_engine_and_python_know_the_same_kinds_and_agree_on_what_is_unavailable() -> None:
    assert {kind: known.is_unavailable for kind, known in KINDS.items()} == dict(failure_kinds())


@pytest.mark.parametrize("kind", [*KINDS, "status 503"])
def test_every_failure_is_explained(kind: str) -> None:
    assert meaning_of(kind)


def test_a_status_of_the_server_and_an_unknown_kind_say_what_they_can() -> None:
    assert [is_unavailable(kind) for kind in ("status 500", "status 404", "no such kind")] == [True, False, False]
    assert not is_nobody_there("status 500")
    assert not may_not_arrive("no such kind")
    assert meaning_of("no such kind") == ""


def test_who_is_not_there_is_not_available_either() -> None:
    assert {kind for kind in KINDS if is_nobody_there(kind)} == {"refused", "unreachable", "timeout connect"}
    assert all(is_unavailable(kind) and may_not_arrive(kind) for kind in KINDS if is_nobody_there(kind))
