"""When golive stops a run by itself, and when it does not."""

from __future__ import annotations

import pytest

from loadtest.abort import AbortWatch
from scenarios.plan import AbortLimits
from tests.loadtest.builders import SECOND, counts

DUE = {SECOND + second: 100 for second in range(120)}


def breach_after(entries: list[dict[str, object]], *, settled: int = 60) -> tuple[str, str] | None:
    watch = AbortWatch(AbortLimits())
    watch.count({"counts": entries})
    return watch.breach(due=DUE, settled_second=SECOND + settled)


def through(*seconds: int, **answer: object) -> list[dict[str, object]]:
    return [counts(SECOND + second, **answer) for second in seconds]  # type: ignore[arg-type]


def test_a_healthy_run_goes_on() -> None:
    assert breach_after(through(*range(61), ok=100)) is None


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        ({"ok": 49, "failed": {"status 503": 51}}, "failed_for_s"),
        ({"failed": {"refused": 60, "timeout connect": 40}}, "unreachable_for_s"),
        ({"ok": 49, "unsent": 51}, "behind_for_s"),
    ],
)
def test_ten_bad_seconds_on_end_pass_the_limit(answer: dict[str, object], limit: str) -> None:
    found = breach_after(through(*range(50), ok=100) + through(*range(50, 61), **answer))
    assert found
    assert found[0] == limit


def test_nine_bad_seconds_do_not() -> None:
    bad = through(*range(52, 61), failed={"status 503": 100})
    assert breach_after(through(*range(52), ok=100) + bad) is None


def test_a_limit_of_minutes_is_a_limit_too() -> None:
    watch = AbortWatch(AbortLimits(failed_for_s=150.0))
    watch.count({"counts": through(*range(200), failed={"status 503": 100})})
    due = {SECOND + second: 100 for second in range(300)}
    assert watch.breach(due=due, settled_second=SECOND + 148) is None
    found = watch.breach(due=due, settled_second=SECOND + 149)
    assert found
    assert found[0] == "failed_for_s"


def test_a_good_second_in_between_starts_the_count_anew() -> None:
    bad = through(*range(40, 49), *range(50, 59), failed={"status 503": 100})
    assert breach_after(through(*range(40), 49, 59, 60, ok=100) + bad) is None


def test_time_outs_that_arrive_late_still_count_where_they_were_due() -> None:
    watch = AbortWatch(AbortLimits())
    watch.count({"counts": [counts(SECOND + second) | {"sent": 100} for second in range(30)]})
    assert watch.breach(due=DUE, settled_second=SECOND + 29) is None
    late = [counts(SECOND + second, failed={"timeout wait": 100}) | {"sent": 0} for second in range(11)]
    watch.count({"counts": late})
    found = watch.breach(due=DUE, settled_second=SECOND + 29)
    assert found
    assert found[0] == "failed_for_s"
