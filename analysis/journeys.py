"""How the journeys of each flow ended in the hold, by the counts of its steps."""

from __future__ import annotations

import pandas as pd

from analysis.hold import Hold
from analysis.latency_log import VISIBLE
from analysis.results import RunRecord
from scenarios.failure_kinds import EFFECT_REPEATED
from scenarios.workload import Flow
from slo.evidence import JourneysSeen, NotSeen


def journeys_seen(record: RunRecord, hold: Hold) -> tuple[JourneysSeen, ...] | NotSeen:
    """A journey ends with its last step, or with the first that fails or cannot be sent: by the second it was due in.

    Those that were still on their way at the hold's end, or that the load's end broke off, did neither.
    """
    flows = record.plan.workload.flows
    if not flows:
        return NotSeen("the workload has no flow")
    inside = record.counts[record.counts["second"].isin(hold.seconds)]
    if inside.empty:
        return NotSeen("no worker reported anything of the hold")
    return tuple(_seen(record, hold, inside, flow) for flow in flows)


def _seen(record: RunRecord, hold: Hold, inside: pd.DataFrame, flow: Flow) -> JourneysSeen:
    names = [step.name for step in flow.requests]
    counts = inside.groupby("request")[["ok", "failed", "unsent"]].sum().reindex(names, fill_value=0)
    lost = counts["failed"] + counts["unsent"]
    return JourneysSeen(
        flow=flow.name,
        ended=seen_once(record, names[-1], hold.seconds) if flow.steps[-1].poll else int(counts["ok"].iloc[-1]),
        failed=int(lost.sum()),
        failed_at={name.removeprefix(f"{flow.name}/"): int(lost[name]) for name in names if lost[name]},
    )


def seen_once(record: RunRecord, poll: str, seconds: range | None = None) -> int:
    """How many effects showed and did not come twice: of a poll every attempt is counted under its name.

    seconds: in which they were accepted; None: in the whole load.
    """
    failures = record.failures
    twice = (failures["request"] == poll) & (failures["kind"] == EFFECT_REPEATED)
    if seconds is None:
        return record.latency.total([poll + VISIBLE]) - int(failures.loc[twice, "count"].sum())
    inside = twice & failures["second"].isin(seconds)
    return record.latency.spread([poll + VISIBLE], seconds).total - int(failures.loc[inside, "count"].sum())
