"""What the tests of a cluster wait for, and what they say when it never comes."""

from __future__ import annotations

import pytest

from scenarios.errors import StageFailed
from tests.cluster.patience import eventually


def test_to_be_refused_for_a_while_is_no_failure() -> None:
    answers = iter((StageFailed("connection refused", remedy="wait"), OSError("reset"), "not this", "server"))

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert eventually(ask, lambda answer: answer == "server") == "server"


def test_to_be_refused_for_good_is_told_with_the_reason() -> None:
    def ask() -> str:
        raise StageFailed("connection refused", remedy="wait")

    with pytest.raises(AssertionError, match=r"still refused \(connection refused"):
        eventually(ask, bool, within_s=0)


def test_an_answer_that_never_holds_is_told() -> None:
    with pytest.raises(AssertionError, match="still 1 after 0 s"):
        eventually(lambda: 1, lambda answer: answer == 2, within_s=0)
