"""When golive stops a run by itself: limits over the last seconds' counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.failure_kinds import is_nobody_there
from scenarios.plan import AbortLimits

# A request books its time-out where it was due, at most 60 s back; older seconds do not change any more. A limit is
# looked for that much further back than it is long, however long a plan makes it.
_STILL_CHANGING_S = 80.0


@dataclass(slots=True)
class _Second:
    sent: int = 0
    failed: int = 0
    unsent: int = 0
    unreachable: int = 0


@dataclass(slots=True)
class AbortWatch:
    """Looks at whole seconds, oldest first; says once which limit was passed, with the figures."""

    limits: AbortLimits
    _seconds: dict[int, _Second] = field(default_factory=dict)

    def count(self, body: Mapping[str, Any]) -> None:
        """Add a delta's counts to the seconds they speak of."""
        for entry in body.get("counts", ()):
            second = self._seconds.setdefault(int(entry["second"]), _Second())
            second.sent += entry["sent"]
            second.unsent += entry["unsent"]
            for kind, count in entry["failed"].items():
                second.failed += count
                second.unreachable += count if is_nobody_there(kind) else 0

    def sent(self) -> dict[int, int]:
        """How many requests each second had."""
        return {at: second.sent for at, second in self._seconds.items()}

    def breach(self, *, due: Mapping[int, int], settled_second: int) -> tuple[str, str] | None:
        """The limit passed and the figures, looking back from `settled_second`; None while all is well.

        due: requests due by the plan in each second (unix).
        A time-out is booked where it was due, so a silent target is noticed one time-out later.
        """
        checks = (
            ("unreachable_for_s", self.limits.unreachable_for_s, self._is_unreachable),
            ("failed_for_s", self.limits.failed_for_s, self._is_failing),
            ("behind_for_s", self.limits.behind_for_s, self._is_behind),
        )
        for name, for_s, holds in checks:
            run = self._longest_run(due, (settled_second - for_s - _STILL_CHANGING_S, settled_second), holds)
            if run and len(run) >= for_s:
                return name, self._figures(run, due)
        return None

    def _longest_run(
        self, due: Mapping[int, int], between: tuple[float, int], holds: Callable[[_Second, int], bool]
    ) -> list[int]:
        """The longest stretch of seconds, with something due in each, in which the claim holds."""
        longest: list[int] = []
        run: list[int] = []
        recent = sorted(second for second in due if between[0] < second <= between[1] and due[second] > 0)
        for second in recent:
            run = [*run, second] if holds(self._seconds.get(second, _Second()), due[second]) else []
            longest = run if len(run) > len(longest) else longest
        return longest

    def _is_failing(self, seen: _Second, due: int) -> bool:
        # The plan alone does not know the later steps of flows: more may be sent than it had due.
        return seen.failed > self.limits.failed_ratio * max(due, seen.sent)

    @staticmethod
    def _is_unreachable(seen: _Second, due: int) -> bool:
        return seen.sent > 0 and seen.unreachable == seen.sent and seen.sent >= due / 2

    @staticmethod
    def _is_behind(seen: _Second, due: int) -> bool:
        return seen.sent < due / 2

    def _figures(self, run: list[int], due: Mapping[int, int]) -> str:
        seen = [self._seconds.get(second, _Second()) for second in run]
        return (
            f"{len(run)} s on end: {sum(due[second] for second in run):,} due, {sum(s.sent for s in seen):,} sent, "
            f"{sum(s.failed for s in seen):,} failed, {sum(s.unsent for s in seen):,} unsent"
        )
