"""Whether answers are slow just now, by however few requests: no verdict, but what a search waits for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from slo.evidence import ClientLoad
from slo.latency import is_slow
from slo.objective import Latency
from tests.slo.builders import client, table

P99 = Latency(name="p99", quantile_ratio=0.99, below_ms=900)


@pytest.mark.parametrize(
    ("seen", "slow"),
    [
        (client(seconds=5, rps=5), False),
        (client(seconds=5, rps=5, answered=table([20, 900], [4, 1], 5)), True),
        (client(seconds=5, rps=100, answered=table([20, 900], [99, 1], 5)), False),  # one in a hundred may be
        (client(seconds=5, rps=5, ok=np.full(5, 4), answered=table([20], [4], 5)), True),  # one is still awaited
        (client(seconds=5, rps=0), False),
    ],
    ids=["fast", "slow", "as many as may be", "unanswered", "nothing"],
)
def test_however_few_requests_show_whether_it_is_slow_just_now(seen: ClientLoad, slow: bool) -> None:
    assert is_slow(P99, seen, waited_ms=4000.0) is slow


def test_what_may_still_be_answered_in_time_is_not_called_slow() -> None:
    awaited = client(seconds=5, rps=5, ok=np.full(5, 4), answered=table([20], [4], 5))
    assert not is_slow(replace(P99, below_ms=5000), awaited, waited_ms=4000.0)
