"""Judges a search's levels while the run goes on: what the command line hands to the search. The CLI's own half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.client_load import with_parts
from analysis.levels import live_backlogs, live_evidence, sizes_now
from analysis.results import read_record
from loadtest.level_verdicts import judged_levels
from loadtest.outlook import Outlook
from loadtest.search import REPORTED_AFTER_S, Searcher
from loadtest.verdicts import metrics_of
from scenarios.plan import Plan
from slo.evidence import Evidence, NotSeen, Window
from slo.findings import find
from slo.judge import judge
from slo.latency import is_slow
from slo.level import LevelOutcome, LevelSays, level_says, of_a_level
from slo.objective import Latency
from slo.verdict import Outcome

REPORTED_WITHIN_S = 2  # so old are the newest counts: an answer that came since is not in them


@dataclass(slots=True)
class LevelBench:
    """Judges levels while the run goes on (loadtest.search.LevelJudge)."""

    plan: Plan
    folder: Path
    outlook: Outlook
    _since: Mapping[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Look only at what is recorded from here on."""
        self._since = sizes_now(self.folder)

    def look(self, start_unix_s: float, end_unix_s: float, rate_rps: float) -> LevelSays:
        """What these seconds say, by what golive itself saw and the backlog.

        rate_rps 0: a rest, of which no rate is asked, and latencies as they are seen.
        """
        if end_unix_s <= start_unix_s:
            return LevelSays(outcome=LevelOutcome.UNDECIDED, because="nothing was held yet")
        window = Window(start_unix_s=float(start_unix_s), end_unix_s=float(end_unix_s))
        record = read_record(self.folder, since=self._since)
        target = self.plan.target
        backlogs = live_backlogs(metrics_of(target.prometheus_url), target, window)
        evidence, measurement = live_evidence(record, window, rate_rps, backlogs)
        if not rate_rps and (slow := self._slow(evidence)):
            return LevelSays(outcome=LevelOutcome.MISSED, by=slow, because="still slow")
        # Scaling is about a level's last minute: judged at its end. Where no rate is asked for, none need be kept up.
        # A queue that is emptied in batches looks as if it grew for as long as it is seen for less than a level's time.
        assert self.plan.search is not None
        too_early = end_unix_s - start_unix_s < self.plan.search.level_s
        later = {"scaling", *(("backlog",) if too_early else ()), *(() if rate_rps else ("throughput", "backlog"))}
        asked = tuple(one for one in of_a_level(self.plan.objectives) if one.kind not in later)
        evidence = with_parts(record, evidence, asked)
        verdict = judge(asked, evidence, find(measurement, evidence, self.plan.thresholds))
        # A backlog can only be missed yet: whether it is worked off shows after the level.
        told = tuple(one for one in verdict.judgements if one.kind != "backlog" or one.outcome is Outcome.MISSED)
        return level_says(replace(verdict, judgements=told))

    def _slow(self, evidence: Evidence) -> tuple[str, ...]:
        """Which latencies are not back yet: a rest has too few requests for a verdict, and asks for none."""
        if isinstance(evidence.client, NotSeen):
            return ()
        asked = [one for one in self.plan.objectives if isinstance(one, Latency) and one.required and not one.requests]
        waited_ms = (REPORTED_AFTER_S - REPORTED_WITHIN_S) * 1000
        return tuple(one.name for one in asked if is_slow(one, evidence.client, waited_ms=waited_ms))

    def conclude(self, level: int) -> LevelSays:
        """What the whole of a level says, by all evidence, as `golive judge` will say it again."""
        self.outlook.gather(self.folder)
        judged = {one.number: one for one in judged_levels(read_record(self.folder), under_way=True)}
        return judged[level].says if level in judged else LevelSays(outcome=LevelOutcome.UNDECIDED)

    def settled(self) -> bool:
        """Whether the backlog is worked off."""
        return self.outlook.settled()

    def caught_up(self) -> bool:
        """Whether every autoscaler has what it wants, or all it may have."""
        return self.outlook.caught_up()


def search_of(plan: Plan, folder: Path, outlook: Outlook) -> Callable[[], None]:
    """What leads the plan's search on at each call; for a plan without one it does nothing.

    Raises PreflightFailed when the replicas are to be fixed and are not.
    """
    if plan.search is None:
        return lambda: None
    if plan.search.replicas == "fixed":
        outlook.refuse_moving_replicas()
    return Searcher(plan, folder, LevelBench(plan, folder, outlook)).step
