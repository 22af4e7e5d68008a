"""From a record to what a verdict rests on: the record and its evidence files only, never Prometheus or Kubernetes."""

from __future__ import annotations

import math

from analysis.autoscalers import Autoscalers, autoscalers_seen, during
from analysis.client_load import client_load
from analysis.cluster.record import read_cluster
from analysis.driven import driven_legs, judged_leg
from analysis.hold import hold_of
from analysis.journeys import journeys_seen
from analysis.measurement import measurement_of
from analysis.replicas import backlog_series
from analysis.resources import resources_of
from analysis.results import RunRecord
from analysis.server_load import server_load
from analysis.spikes import spikes_seen
from slo.evidence import Evidence, NotSeen
from slo.validity import Measurement


def assemble(record: RunRecord) -> tuple[Evidence, Measurement]:
    """What was seen of the platform, and what must be known about the seeing. What is missing is NotSeen, in words."""
    hold = hold_of(record)
    files, cluster = record.folder / "evidence", read_cluster(record.folder)
    client = client_load(record, hold)
    autoscalers = autoscalers_seen(record, cluster)
    evidence = Evidence(
        hold=hold.window,
        load_end_unix_s=hold.load_end_unix_s,
        watched_until_unix_s=record.header.watched_until_unix_s or hold.load_end_unix_s,
        rate_to_prove_rps=record.plan.rate_to_prove_rps,
        hold_complete=hold.complete,
        client=client,
        server=server_load(record, hold, client),
        backlogs=backlog_series(files, hold.window.start_unix_s),
        autoscalers=_steered(record) or _of_what_is_judged(record, autoscalers.believed),
        resources=resources_of(record),
        spikes=spikes_seen(record),
        journeys=journeys_seen(record, hold),
    )
    return evidence, measurement_of(record, hold, cluster, autoscalers.blindness)


def _of_what_is_judged(record: RunRecord, autoscalers: Autoscalers | NotSeen) -> Autoscalers | NotSeen:
    """Of a search the proof is judged, and the levels before it drove the autoscalers further."""
    proof = judged_leg(driven_legs(record.events))
    return autoscalers if proof is None else during(autoscalers, proof.t0_unix_s, math.inf)


def _steered(record: RunRecord) -> NotSeen | None:
    """A rehearsal whose autoscaler died says nothing about scaling: its replicas stand still for our own reasons."""
    died = [event for event in record.happened("stage_part_died") if event.fields.get("part") == "autoscaler"]
    return NotSeen("the rehearsal's own autoscaler died in mid-run") if died else None
