"""How the journeys of each flow ended in the hold, by the counts of its steps."""

from __future__ import annotations

import pandas as pd

from analysis.client_load import not_yet
from analysis.hold import Hold
from analysis.results import RunRecord
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
    waiting = int(not_yet(record, inside[inside["request"] == names[-1]], hold.seconds).sum())
    return JourneysSeen(
        flow=flow.name,
        ended=int(counts["ok"].iloc[-1]) - waiting,
        failed=int(lost.sum()),
        failed_at={name.removeprefix(f"{flow.name}/"): int(lost[name]) for name in names if lost[name]},
    )
