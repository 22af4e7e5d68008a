"""How the hold's requests were spread over the target's addresses, and over the replicas behind them."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address

import numpy as np

from analysis.counters import growth_of
from analysis.evidence_files import Pulled, read_answer
from analysis.hold import Hold
from analysis.ports import Series
from analysis.results import RunRecord
from analysis.scrapes import scrape_instants
from scenarios.target import TargetClass
from slo.evidence import NotSeen, Window
from slo.validity import Given

REPLICA_LABELS = ("pod", "pod_name", "kubernetes_pod_name", "instance")  # what a Prometheus calls a replica, by rank


def given_to_addresses(record: RunRecord, hold: Hold) -> tuple[Given, ...]:
    """What golive gave to each address of the target's name in the hold, those given nothing included."""
    known = sorted(set(record.addresses["address"]))
    inside = record.addresses[record.addresses["second"].isin(hold.seconds)]
    given = inside.groupby("address")["requests"].sum()
    return tuple(Given(name=str(address), requests=float(given.get(address, 0))) for address in known)


def beside_target(record: RunRecord) -> tuple[str, ...]:
    """The target's addresses that are golive's own machine; of a rehearsal, which is to stand there, none.

    Only loopback shows it for certain: another address may be the machine's own, or a balancer's before it.
    """
    if record.header.rehearsal or record.header.target_class is TargetClass.REHEARSAL:
        return ()
    hosts = {str(address): str(address).rpartition(":")[0].strip("[]") for address in record.addresses["address"]}
    return tuple(sorted(address for address, host in hosts.items() if ip_address(host).is_loopback))


def given_to_replicas(record: RunRecord, hold: Hold) -> tuple[Given, ...]:
    """What each replica counted in the hold, by the platform's own metrics; () where they do not tell replicas apart.

    A replica that no request reached often has no series: `queries.replicas` of the target names all there are.
    """
    evidence = record.folder / "evidence"
    counted = read_answer(evidence, "requests")
    label = "" if isinstance(counted, NotSeen) else _label(counted)
    if isinstance(counted, NotSeen) or not label:
        return ()
    instants, step_s = scrape_instants(evidence), counted.asked.step_s or 1.0
    requests: defaultdict[str, float] = defaultdict(float)
    there: dict[str, float] = {}
    for series in counted.series:
        grown = growth_of(series, instants, step_s).between(hold.window.start_unix_s, hold.window.end_unix_s)
        requests[series.labels[label]] += grown
        _note_presence(there, series, label, hold.window)
    known = read_answer(evidence, "replicas")
    for series in () if isinstance(known, NotSeen) else known.series:
        if label in series.labels and float(series.values.max(initial=0.0)) > 0:
            _note_presence(there, series, label, hold.window)
    return tuple(
        Given(name=name, requests=requests[name], there_ratio=ratio) for name, ratio in sorted(there.items()) if ratio
    )


def _label(counted: Pulled) -> str:
    """The label by which all series name their replica; "" when they do not."""
    every = [series.labels.keys() for series in counted.series]
    return next((label for label in REPLICA_LABELS if every and all(label in labels for labels in every)), "")


def _note_presence(there: dict[str, float], series: Series, label: str, window: Window) -> None:
    """A replica is there from its first sample to its last: the share of the hold in which it could take load."""
    if not len(series.at_unix_s):
        return
    first, last = (float(at) for at in np.clip(series.at_unix_s[[0, -1]], window.start_unix_s, window.end_unix_s))
    ratio = (last - first) / window.duration_s if window.duration_s else 0.0
    there[series.labels[label]] = max(there.get(series.labels[label], 0.0), ratio)
