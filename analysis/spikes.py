"""The spikes of a run: where the plan's rate line had them, and what golive itself sent and saw around each."""

from __future__ import annotations

import math
from dataclasses import replace

from analysis.client_load import client_load
from analysis.cluster.record import read_cluster
from analysis.hold import Hold, hold_of
from analysis.measurement import measurement_of
from analysis.results import RunRecord
from scenarios.spikes import Spike, spikes
from slo.evidence import Evidence, NotSeen, SpikeSeen, Window
from slo.validity import Measurement

BEFORE_S = 60.0  # so much of the time before a spike tells whether the promises held there


def spikes_seen(record: RunRecord) -> tuple[SpikeSeen, ...] | NotSeen:
    """Every spike of the plan that the load reached; NotSeen where no rate line of the plan's own was driven."""
    t0_unix_s, plan = record.header.t0_unix_s, record.plan
    if plan.closed is not None:
        return NotSeen("a locustfile's users were driven, and no rate line with a spike")
    if plan.search is not None:
        return NotSeen("a search was driven: its levels are no spike")
    if t0_unix_s is None:
        return NotSeen("no load began")
    load_end_unix_s = hold_of(record).load_end_unix_s
    planned = spikes(plan.profile)
    reached = [spike for spike in planned if math.floor(t0_unix_s + spike.onset_s) < math.floor(load_end_unix_s)]
    if planned and not reached:
        return NotSeen("the load ended before the spike began")
    return tuple(_seen(record, spike, t0_unix_s, load_end_unix_s) for spike in reached)


def _seen(record: RunRecord, spike: Spike, t0_unix_s: float, load_end_unix_s: float) -> SpikeSeen:
    """A spike on whole seconds of the master's clock: a second that it has a part of is its own."""
    onset_unix_s = math.floor(t0_unix_s + spike.onset_s)
    until_unix_s = math.floor(min(t0_unix_s + spike.until_s, load_end_unix_s))
    before_unix_s = math.ceil(max(onset_unix_s - BEFORE_S, t0_unix_s))
    return SpikeSeen(
        window=Window(start_unix_s=float(onset_unix_s), end_unix_s=float(math.ceil(t0_unix_s + spike.end_s))),
        until_unix_s=float(until_unix_s),
        before_rps=spike.before_rps,
        peak_rps=spike.peak_rps,
        after_rps=spike.after_rps,
        client=client_load(record, _stretch(min(before_unix_s, onset_unix_s), until_unix_s, load_end_unix_s)),
    )


def _stretch(start: float, end: float, load_end_unix_s: float) -> Hold:
    window = Window(start_unix_s=float(start), end_unix_s=float(end))
    return Hold(window=window, load_end_unix_s=load_end_unix_s, complete=True)


def around_spikes(record: RunRecord, evidence: Evidence) -> tuple[Evidence, Measurement] | None:
    """What findings about the seconds that recovery is judged by follow from; None for a run without a spike.

    From the first onset to the end of the last watch. What only the server tells stays as it is over the hold.
    """
    seen = () if isinstance(evidence.spikes, NotSeen) else evidence.spikes
    if not seen:
        return None
    start, end = seen[0].window.start_unix_s, seen[-1].until_unix_s
    stretch = _stretch(start, end, evidence.load_end_unix_s)
    around = replace(evidence, hold=stretch.window, client=client_load(record, stretch))
    return around, measurement_of(record, stretch, read_cluster(record.folder))
