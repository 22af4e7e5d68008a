"""Which outcomes a finding could have produced, and so takes away. Directional: it leaves those it only made harder.

Lag inflates latency: a latency MET stands, a MISSED falls. A shortfall of load lightens the platform: a MET falls, a
MISSED stands; but throughput is the load itself, so there a MISSED falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from slo.validity import Finding, FindingKind, Severity
from slo.verdict import Outcome

MET, MISSED = Outcome.MET, Outcome.MISSED
BOTH = frozenset({MET, MISSED})
ONLY_MET = frozenset({MET})
ONLY_MISSED = frozenset({MISSED})
NEITHER: frozenset[Outcome] = frozenset()

Effects = Mapping[str, frozenset[Outcome]]  # by the objective's kind; kinds not named are left alone

# We were slow: latency and time-outs look worse than they are. What was met was met in spite of it.
_WE_ARE_SLOW: Effects = {
    "throughput": ONLY_MISSED,
    "latency": ONLY_MISSED,
    "error_ratio": ONLY_MISSED,
    "journeys": ONLY_MISSED,
    "availability": ONLY_MISSED,
    "recovery": ONLY_MISSED,
}
# The platform had less to do than planned: what it met proves little; what it missed it missed at a lighter load.
# Throughput is missed because we did not send, and met in spite of it.
_TOO_LITTLE_LOAD: Effects = {
    "throughput": ONLY_MISSED,
    "latency": ONLY_MET,
    "error_ratio": ONLY_MET,
    "journeys": ONLY_MET,
    "availability": ONLY_MET,
    "backlog": ONLY_MET,
    "scaling": ONLY_MET,
    "steady": ONLY_MET,
    "recovery": ONLY_MET,
}
# Our own machine refused to connect: failures that are not the platform's, and load it never got.
_OUR_MACHINE_REFUSED: Effects = {
    **_TOO_LITTLE_LOAD,
    "error_ratio": BOTH,
    "journeys": BOTH,
    "availability": BOTH,
    "recovery": BOTH,
}
# Counts cannot be trusted, in whichever direction.
_CLIENT_COUNTS_WRONG: Effects = {
    "throughput": BOTH,
    "latency": BOTH,
    "error_ratio": BOTH,
    "journeys": BOTH,
    "availability": BOTH,
    "recovery": BOTH,
}
# What Prometheus did not see cannot have been bad: growth, a maximum reached, may lie in the gap. What it saw stands.
_METRICS_UNSEEN: Effects = {"backlog": ONLY_MET, "scaling": ONLY_MET, "steady": ONLY_MET}
# Seconds of two clocks are laid side by side wrongly.
_CLOCKS_APART: Effects = {"throughput": BOTH, "latency": BOTH, "backlog": BOTH, "scaling": BOTH, "recovery": BOTH}
# Another load than the plan's was asked for half-way; or nothing that was seen need be what was.
_ANOTHER_LOAD: Effects = {kind: BOTH for kind in (*_CLIENT_COUNTS_WRONG, "backlog", "scaling", "steady")}

# One replica did the work of all: it says nothing of the others, and an autoscaler that averages over them saw idle
# ones. What an overloaded replica turned away never came into a queue.
_ONE_FOR_ALL: Effects = {**_CLIENT_COUNTS_WRONG, "backlog": ONLY_MET, "scaling": BOTH, "steady": ONLY_MET}

EFFECTS: Mapping[FindingKind, Effects] = {
    FindingKind.SCHEDULE_LAG: _WE_ARE_SLOW,
    FindingKind.CONTENTION: _WE_ARE_SLOW,
    FindingKind.WORKER_STARVED: _WE_ARE_SLOW,
    # An arrival that was never sent is both: load missing, and a latency at its time-out, or a journey's end.
    FindingKind.UNSENT: {**_TOO_LITTLE_LOAD, "latency": BOTH, "journeys": BOTH, "recovery": BOTH},
    FindingKind.LOAD_SHORTFALL: _TOO_LITTLE_LOAD,
    FindingKind.WORKER_LOST: _TOO_LITTLE_LOAD,
    FindingKind.WORKER_LATE: {},  # it was sent home without a shard: the plan's load was dealt without it
    FindingKind.MASTER_LOST: _ANOTHER_LOAD,
    FindingKind.CLOCK_SKEW: _CLOCKS_APART,
    FindingKind.LITTLES_LAW: _CLIENT_COUNTS_WRONG,
    # This Prometheus may watch another platform, and then nothing of what it tells is this one's; or something answers
    # before it, as a cache does. Levels of a search are not reconciled one by one: what they add up to falls with them.
    FindingKind.COUNT_MISMATCH: {**_ANOTHER_LOAD, "limit": BOTH},
    FindingKind.LOCAL_PORTS: _OUR_MACHINE_REFUSED,
    FindingKind.FILE_HANDLES: _OUR_MACHINE_REFUSED,
    FindingKind.METRICS_GAP: _METRICS_UNSEEN,
    FindingKind.RATE_CHANGED: _ANOTHER_LOAD,
    FindingKind.RECORD_GAP: _ANOTHER_LOAD,  # the piece may be any: also what Prometheus told, or when the hold was
    # A hold cut short proves nothing that needs the whole of it; what was missed in the part that was, was missed.
    FindingKind.CUT_SHORT: {kind: ONLY_MET for kind in _ANOTHER_LOAD},
    # However a worker was taken away, what it should have sent is missing from then on.
    FindingKind.WORKER_OOM_KILLED: _TOO_LITTLE_LOAD,
    FindingKind.WORKER_EVICTED: _TOO_LITTLE_LOAD,
    FindingKind.NODE_DRAINED: _TOO_LITTLE_LOAD,
    FindingKind.WORKER_TWICE: {},  # the second pod got no shard: the load was sent once
    # What was measured is neither the platform before nor the one after; a deployment alone makes errors and latency.
    FindingKind.FINGERPRINT_CHANGED: _ANOTHER_LOAD,
    # Like a hole in Prometheus, but of what Kubernetes alone was asked: replicas.
    FindingKind.WATCH_BLIND: {"scaling": ONLY_MET},
    # One edge may be worse than its neighbours under all the load, or better than those that nobody asked.
    FindingKind.ONE_ADDRESS: _CLIENT_COUNTS_WRONG,
    FindingKind.ONE_REPLICA: _ONE_FOR_ALL,
    # What a cache answers is fast, right, and no work for the platform; what was missed was missed with its help.
    FindingKind.CACHED_ANSWERS: {kind: ONLY_MET for kind in _ANOTHER_LOAD},
    FindingKind.REPEATED: {},  # only told: as most clients do, and each counts once, from when it was due
    FindingKind.CLOSED_MODEL: {},  # only told: every figure is what it says, of the load that came out
    # A task that raised left the rest of it undone: less load, and a check of its own that failed in no count. A user
    # that is gone by it sends nothing more, which is not the platform's.
    FindingKind.USERS_RAISED: {**{kind: ONLY_MET for kind in _ANOTHER_LOAD}, "throughput": BOTH},
    FindingKind.OWN_EXIT_CODE: {},  # only told: what must hold is the plan's to say
    FindingKind.NAMES_FOLDED: {},  # only told: every request counts, in one row
    FindingKind.GENERATOR_GROWS: {},  # only told: what it really takes away is lag, contention, handles that ran out
    FindingKind.BESIDE_TARGET: {},  # only told: what it really took away is contention
}


def takes_away(finding: Finding, kind: str, outcome: Outcome) -> bool:
    """Whether this finding could have produced this outcome of an objective of this kind."""
    if finding.severity is not Severity.VOIDS or (finding.bears_on and kind not in finding.bears_on):
        return False
    return outcome in EFFECTS[finding.kind].get(kind, NEITHER)


def with_beside(
    found: tuple[Finding, ...], beside: tuple[Finding, ...], *, where: str, bears_on: tuple[str, ...]
) -> tuple[Finding, ...]:
    """What was found in the hold, and what only other seconds show: that bears on the objectives judged by those.

    What the hold shows bears on all. where: which seconds, as a sentence begins: "Around the spike".
    """
    known = {finding.kind for finding in found if finding.severity is Severity.VOIDS}
    more = tuple(
        replace(one, what=f"{where}: {one.what}", bears_on=bears_on)
        for one in beside
        if one.severity is Severity.VOIDS and one.kind not in known and EFFECTS[one.kind].keys() & set(bears_on)
    )
    return tuple(sorted((*found, *more), key=lambda finding: finding.severity is not Severity.VOIDS))
