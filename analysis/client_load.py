"""What golive itself sent and saw in the hold, second by second of the intended start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.hold import Hold, due_per_second
from analysis.latency_log import FAILED, VISIBLE
from analysis.results import RunRecord
from scenarios.failure_kinds import EFFECT_REPEATED, may_not_arrive
from slo.evidence import ClientLoad, Counts, Evidence, NotSeen
from slo.objective import Objective, about


def client_load(record: RunRecord, hold: Hold) -> ClientLoad | NotSeen:
    """The client's counts and latencies over the hold; NotSeen when no second of the hold was driven."""
    names = [request.name for request in record.plan.workload.kinds]
    seen = _counted(record, hold, names, record.counts, record.failures)
    if isinstance(seen, NotSeen):
        return seen
    return replace(
        seen,
        due=due_in(record, hold.seconds),
        load_sent=int(record.counts["sent"].sum()),
        load_answered=answered_in_load(record),
        load_repeated=int(record.counts["repeated"].sum()),
        due_beforehand=not record.plan.closed and not record.plan.workload.followers,
        due_by_workers=None if due_per_second(record)[1] else int(seen.due.sum()),
    )


def with_parts(record: RunRecord, evidence: Evidence, objectives: Iterable[Objective]) -> Evidence:
    """The evidence, with what was seen of those requests alone that an objective is about."""
    hold = Hold(window=evidence.hold, load_end_unix_s=evidence.load_end_unix_s, complete=evidence.hold_complete)
    asked = {requests for one in objectives if (requests := about(one))}
    return replace(evidence, parts={requests: _part(record, hold, requests) for requests in asked})


def _part(record: RunRecord, hold: Hold, requests: tuple[str, ...]) -> ClientLoad | NotSeen:
    """What is due of some requests no plan knows beforehand: it is what the workers had due."""
    called = {name: record.plan.workload.called(name) for name in requests}
    unknown = [name for name, names in called.items() if not names]
    if unknown:
        return NotSeen(f"no request or flow of this run is called {' or '.join(map(repr, unknown))}")
    names = list(dict.fromkeys(name for names in called.values() for name in names))
    counts, failures = (table[table["request"].isin(names)] for table in (record.counts, record.failures))
    return _counted(record, hold, names, counts, failures)


def _counted(
    record: RunRecord, hold: Hold, names: Sequence[str], counts: pd.DataFrame, failures: pd.DataFrame
) -> ClientLoad | NotSeen:
    """The counts of the hold, and the latencies under these names."""
    if record.header.t0_unix_s is None:
        return NotSeen("no load began")
    if not hold.seconds:
        return NotSeen("the load ended before the hold began")
    inside = counts[counts["second"].isin(hold.seconds)]
    if inside.empty:
        return NotSeen("no worker reported anything of the hold")
    seconds = per_second(inside, hold.seconds)
    return ClientLoad(
        source=f"golive's own counts, {record.plan.workers} worker{'s' if record.plan.workers > 1 else ''}",
        seconds_unix=np.array(hold.seconds, dtype=np.int64),
        due=seconds["due"],
        sent=seconds["sent"],
        ok=seconds["ok"],
        failed=seconds["failed"],
        unavailable=seconds["unavailable"],
        unsent=seconds["unsent"],
        failed_by_kind=_by_kind(failures, hold),
        answered=record.latency.table(names, hold.seconds),
        failed_latency=record.latency.table([name + FAILED for name in names], hold.seconds),
        repeated=int(inside["repeated"].sum()),
        cached=int(inside["cached"].sum()),
        not_yet=_not_yet(record, inside, hold.seconds),
    )


def _not_yet(record: RunRecord, inside: pd.DataFrame, seconds: range) -> Counts:
    """The answers of polls that were right and showed no effect, so that a step counts once however often it asks.

    An effect is booked where it was accepted, so a second may have fewer than none; over some they are right.
    """
    here = set(inside["request"])
    polls = [name for name in record.plan.workload.polls if name in here]
    asked = per_second(inside[inside["request"].isin(polls)], seconds)["ok"]
    shown = record.latency.table([name + VISIBLE for name in polls], seconds).counts.sum(axis=1)
    failures = record.failures[record.failures["request"].isin(polls) & (record.failures["kind"] == EFFECT_REPEATED)]
    repeated = failures.groupby("second")["count"].sum().reindex(list(seconds), fill_value=0)
    return np.asarray(asked - shown + repeated.to_numpy(dtype=np.int64), dtype=np.int64)


def due_in(record: RunRecord, seconds: range) -> Counts:
    """How many requests the plan had due in each of these unix seconds."""
    due, _ = due_per_second(record)
    offsets = np.array(seconds, dtype=np.int64) - int(record.header.t0_unix_s or 0)
    inside = (offsets >= 0) & (offsets < len(due))
    return np.where(inside, due[np.clip(offsets, 0, max(len(due) - 1, 0))], 0).astype(np.int64)


def per_second(counts: pd.DataFrame, seconds: range) -> dict[str, Counts]:
    """The counts of all requests and workers, added up for each of these unix seconds."""
    names = ["due", "sent", "ok", "failed", "unavailable", "unsent"]
    added = counts.groupby("second")[names].sum().reindex(list(seconds), fill_value=0)
    return {name: added[name].to_numpy(dtype=np.int64) for name in names}


def answered_in_load(record: RunRecord) -> int:
    """How many requests of the whole load an answer began to arrive for: the platform must have counted them."""
    kinds = record.failures.groupby("kind")["count"].sum()
    reached = sum(int(count) for kind, count in kinds.items() if not may_not_arrive(str(kind)))
    return int(record.counts["ok"].sum()) + reached


def _by_kind(failures: pd.DataFrame, hold: Hold) -> dict[str, int]:
    inside = failures[failures["second"].isin(hold.seconds)]
    kinds = inside.groupby("kind")["count"].sum().sort_values(ascending=False)
    return {str(kind): int(count) for kind, count in kinds.items()}
