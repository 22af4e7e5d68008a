"""Whether we see: from when to when the API server told us nothing, why, and how long to leave it alone."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from analysis.cluster.journal import Journal
from analysis.cluster.ports import ApiTrouble, Kind, Scope, Trouble

FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 15.0
LONGEST_OBEYED_S = 60.0  # of a Retry-After
REFUSED_WAIT_S = 60.0  # what we may not read is asked for again so seldom: a role may be granted in mid-run
REFUSALS = (Trouble.FORBIDDEN, Trouble.NOT_FOUND)
SURPRISE = "unexpected"
MOST_PUZZLES = 100


@dataclass(slots=True, kw_only=True)
class Sight:
    """What is known of one thing that is watched: seen last when, blind since when, and what the trouble is."""

    kind: Kind
    scope: Scope
    journal: Journal
    chance: random.Random = field(default_factory=random.Random)
    seen_unix_s: float = field(init=False)
    failures: int = 0
    trouble: str = ""  # of the last failure; "" while all is well
    puzzles: set[str] = field(default_factory=set)  # objects that could not be read

    def __post_init__(self) -> None:
        """Begin unseeing: what was before the watch is nobody's loss."""
        self.seen_unix_s = self.journal.now_unix_s()

    def seen(self, *, lost: bool = False) -> None:
        """The server has answered. lost: what happened while we were blind could not be caught up with."""
        now_unix_s = self.journal.now_unix_s()
        if self.trouble or lost:
            self.journal.write("watch", {
                "what": "blind", **self._named(), "trouble": self.trouble or "what happened was not kept for us",
                "from_unix_s": self.seen_unix_s, "until_unix_s": now_unix_s, "failures": self.failures, "lost": lost,
            })  # fmt: skip
        self.seen_unix_s, self.failures, self.trouble = now_unix_s, 0, ""

    def failed(self, problem: BaseException) -> float:
        """The server has not answered; each new kind of trouble is written down once. Returns how long to wait."""
        trouble, said = _told(problem)
        self.failures += 1
        if trouble != self.trouble:
            what = "not allowed" if trouble in REFUSALS else "trouble"
            self.journal.write("watch", {"what": what, **self._named(), "trouble": trouble, "said": said})
        self.trouble = trouble
        return self._wait_s(problem)

    def puzzled(self, uid: str, problem: BaseException) -> None:
        """An object has a shape that nobody expected: told once, and so many at most."""
        if uid in self.puzzles or len(self.puzzles) >= MOST_PUZZLES:
            return
        self.puzzles.add(uid)
        _, said = _told(problem)
        self.journal.write("watch", {"what": "puzzle", **self._named(), "uid": uid, "said": said})

    def ended(self) -> None:
        """The watch ends; what was still in the dark stays there."""
        if self.trouble:
            self.seen(lost=True)

    def _wait_s(self, problem: BaseException) -> float:
        """Twice as long after each failure, never all at the same instant."""
        grown_s = min(FIRST_WAIT_S * 2.0 ** min(self.failures - 1, 16), LONGEST_WAIT_S)
        wait_s = grown_s * self.chance.uniform(0.5, 1.0)
        if not isinstance(problem, ApiTrouble):
            return wait_s
        if problem.trouble in REFUSALS:
            return REFUSED_WAIT_S
        if problem.trouble is Trouble.GONE and self.failures == 1:
            return 0.0  # the cure is to list anew, at once
        return max(wait_s, min(problem.retry_after_s or 0.0, LONGEST_OBEYED_S))

    def _named(self) -> dict[str, str]:
        return {"kind": self.kind.value, "namespace": self.scope.namespace}


def _told(problem: BaseException) -> tuple[str, str]:
    if isinstance(problem, ApiTrouble):
        return problem.trouble.value, problem.said
    return SURPRISE, f"{type(problem).__name__}: {problem}"[:300]
