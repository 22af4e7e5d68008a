"""A queue that is emptied in batches is told from one that grows, wherever in a batch the hold begins and ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from slo.judge import judge
from slo.objective import Backlog
from slo.verdict import Outcome
from tests.slo.builders import evidence, queue


def outcome(depths: Sequence[float]) -> Outcome:
    """Of ten seconds before the hold of 60 s, the hold, and a minute in which all is worked off."""
    seen = evidence(backlogs=(queue([*depths, *[0.0] * 60]),))
    return judge((Backlog(name="backlog"),), seen, ()).judgements[0].outcome


@pytest.mark.parametrize("every_s", [10, 20, 30])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.6, 0.9])
def test_a_queue_that_is_emptied_in_batches_does_not_grow(every_s: int, phase: float) -> None:
    assert outcome([100.0 * ((second + phase * every_s) % every_s) for second in range(70)]) is Outcome.MET


def test_one_whose_batches_leave_more_each_time_does() -> None:
    assert outcome([100.0 * (second % 10) + 20.0 * second for second in range(70)]) is Outcome.MISSED


def test_a_hump_at_first_does_not_hide_what_grows_beyond_it() -> None:
    hump = [0.0] * 10 + [300.0] * 10 + [0.0] * 10
    assert outcome([*hump, *[50.0 * second for second in range(40)]]) is Outcome.MISSED
