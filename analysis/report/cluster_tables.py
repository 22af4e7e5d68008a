"""Tables of the cluster under the run: its fingerprint, pods that fared badly, events of note, what was not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analysis.cluster.fates import fate_of
from analysis.cluster.record import ClusterRecord, Line, PodLife
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, duration, figure, into_run, listed, plural, time_of_day
from analysis.results import RunRecord
from slo.validity import Measurement, PodEnd

CLUSTER_PARTS = {"cluster_uid": "UID", "kubernetes": "Kubernetes", "namespace": "namespace"}
KINDS = {"horizontalpodautoscalers": "HPAs"}
SHORT_DIGEST = 19
WAITED_FOR_A_NODE_S = 5.0  # longer than a scheduler takes that finds room
SHOWN_AT_MOST = 40
OF_NOTE = ("SuccessfulRescale", "ScalingReplicaSet", "TriggeredScaleUp", "ScaleDown", "NodeNotSchedulable")
Row = tuple[str, ...]


def fingerprint_table(record: RunRecord, cluster: ClusterRecord, measurement: Measurement) -> Table:
    """What identifies the platform that was driven, in short, and whether it stayed so."""
    seen: Line = cluster.fingerprints[0] if cluster.fingerprints else {}
    known = {**record.header.fingerprint, **{part: value for part, value in seen.items() if value}}
    changes = measurement.cluster.changes if measurement.cluster else ()
    told = [f"{into_run_of(record, one.at_unix_s)}: {one.what}" for one in changes]
    unread = [str(one) for one in known.get("unread") or () if not (known.get("cluster_uid") and "UID" in str(one))]
    return Table(
        name="fingerprint",
        title="The platform's fingerprint",
        columns=(text("What"), text("Name"), text("Fingerprint")),
        rows=tuple(_fingerprint(known)),
        note=("It changed: " + "; ".join(told) if told else "It stayed the same over the whole watch")
        + (f". Not read: {', '.join(unread)}." if unread else "."),
        empty="Nothing of it could be read.",
    )


def _fingerprint(known: Line) -> Iterator[Row]:
    for name in CLUSTER_PARTS:
        if known.get(name):
            yield ("Cluster", CLUSTER_PARTS[name], str(known[name]))
    for name, parts in (known.get("deployments") or {}).items():
        images = [f"{one} {listed([_short(d) for d in found])}" for one, found in (parts.get("images") or {}).items()]
        yield ("Deployment", name, "; ".join([f"template {parts.get('template', '?')}", *images]))
    for name, spec in (known.get("hpas") or {}).items():
        yield ("HPA", name, f"specification {spec}")
    for pool, nodes in (known.get("node_pools") or {}).items():
        yield ("Nodes", plural(int(nodes), "node"), pool)


def _short(digest: str) -> str:
    return digest[:SHORT_DIGEST]


def pods_table(record: RunRecord, cluster: ClusterRecord) -> Table:
    """Pods of the platform and of golive that restarted, ran out of memory, were evicted, or waited for a node."""
    rows = sorted((row for pod in cluster.pods for row in _fared(record, cluster, pod)), key=lambda row: row.at_unix_s)
    platform = cluster.platform_pods()
    began_unix_s = float(cluster.started.get("at_unix_s") or 0.0)
    new = sum(pod.created_unix_s > began_unix_s for pod in platform)
    seen = f"{plural(len(platform), 'pod')} of the platform {'was' if len(platform) == 1 else 'were'} seen, {new} new"
    return Table(
        name="pods",
        title="Pods that fared badly",
        columns=(number("Into the run"), number("UTC"), text("Pod"), text("Node"), text("What happened")),
        rows=tuple(row.cells for row in rows[:SHOWN_AT_MOST]),
        note=f"{seen}.{_left_out(rows)}",
        empty=f"{seen}: none restarted, ran out of memory, was evicted or waited for a node, nor did golive's own.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fared:
    at_unix_s: float
    cells: Row


def _fared(record: RunRecord, cluster: ClusterRecord, pod: PodLife) -> Iterator[_Fared]:
    def told(at_unix_s: float, what: str) -> _Fared:
        when = (into_run_of(record, at_unix_s), time_of_day(at_unix_s))
        return _Fared(at_unix_s=at_unix_s, cells=(*when, pod.name, str(pod.last.get("node") or NOTHING), what))

    fate, ours = fate_of(pod, cluster), bool(pod.last.get("run"))
    again = pod.restarts_seen > 0
    if fate and not _in_order(fate.end, ours, again=again):
        yield told(fate.at_unix_s, f"{fate.end.value}: {fate.cause}")
    if again:
        at_unix_s = max((float(end.get("at_unix_s") or 0.0) for end in pod.endings), default=0.0)
        ends = listed([f"{end.get('reason')}, exit code {end.get('exit_code')}" for end in pod.endings])
        why = f": {ends}" if ends else ""
        yield told(at_unix_s or float(pod.last["at_unix_s"]), f"restarted {plural(pod.restarts_seen, 'time')}{why}")
    yield from (told(at, what) for at, what in _waited(pod))


def _in_order(end: PodEnd, ours: bool, *, again: bool) -> bool:
    """Pods of the platform are deleted whenever it scales down; a container that began again is told as a restart."""
    return (end is PodEnd.DELETED and not ours) or (again and end in (PodEnd.OOM_KILLED, PodEnd.FAILED))


def _waited(pod: PodLife) -> Iterator[tuple[float, str]]:
    message = str(pod.last.get("unschedulable") or pod.first.get("unschedulable") or "")
    if pod.scheduled_unix_s is None and not pod.last.get("node"):
        why = f": {message}" if message else ""
        yield pod.created_unix_s, f"never had a node{why}"
    elif pod.scheduled_unix_s is not None and pod.scheduled_unix_s - pod.created_unix_s > WAITED_FOR_A_NODE_S:
        waited = duration(pod.scheduled_unix_s - pod.created_unix_s)
        yield pod.created_unix_s, f"waited {waited} for a node{f': {message}' if message else ''}"


def own_pods_table(record: RunRecord, cluster: ClusterRecord) -> Table:
    """Where golive's own pods ran and how they came up."""
    return Table(
        name="own-pods",
        title="golive's own pods",
        columns=(
            text("Pod"), text("Node"), number("On a node after", "from when it was asked for"),
            number("Running after", "from when it was asked for"), text("Fate"),
        ),
        rows=tuple(_own(record, cluster, pod) for pod in sorted(cluster.own_pods(), key=lambda pod: pod.name)),
        note=f"Each one's name begins with {_release(cluster)}.",
        empty="None was seen: golive ran elsewhere, or its own namespace may not be read.",
    )  # fmt: skip


def _own(record: RunRecord, cluster: ClusterRecord, pod: PodLife) -> Row:
    fate = fate_of(pod, cluster)
    told = f"{fate.end.value} at {into_run_of(record, fate.at_unix_s)}: {fate.cause}" if fate else ""
    lived = "ended in order" if pod.last.get("phase") == "Succeeded" else "ran to the end of the watch"
    name, node = pod.name.removeprefix(_release(cluster)), str(pod.last.get("node") or NOTHING)
    return (
        name, node, _after(pod, pod.scheduled_unix_s),
        _after(pod, pod.last.get("started_unix_s")), told or lived,
    )  # fmt: skip


def _release(cluster: ClusterRecord) -> str:
    """How the names of a run's own objects begin."""
    return f"golive-{str(cluster.started.get('run', '')).lower()}-"


def _after(pod: PodLife, at_unix_s: float | None) -> str:
    return NOTHING if at_unix_s is None else f"{figure(round(max(at_unix_s - pod.created_unix_s, 0.0), 1))} s"


def cluster_events_table(record: RunRecord, cluster: ClusterRecord) -> Table:
    """Warnings and scalings, the same of one owner's pods together."""
    owners = {f"Pod/{pod.name}": pod.owner or f"Pod/{pod.name}" for pod in cluster.pods}
    groups: dict[tuple[str, str], list[Line]] = {}
    for event in cluster.events:
        if event.get("type") == "Warning" or event.get("reason") in OF_NOTE:
            about = str(event.get("about", ""))
            place = (owners.get(about, about), str(event.get("reason", "")))
            groups.setdefault(place, []).append(event)
    ordered = sorted(groups.items(), key=lambda group: _first(group[1]))
    return Table(
        name="cluster-events",
        title="What the cluster said",
        columns=(number("Into the run"), text("About"), text("Reason"), number("Times"), text("The last one's words")),
        rows=tuple(_event(record, about, reason, told) for (about, reason), told in ordered[:SHOWN_AT_MOST]),
        note=f"Warnings, and what was scaled; all {count(len(cluster.events))} events are in kubernetes/events.jsonl."
        + _left_out(ordered),
        empty="No warning, and nothing was scaled.",
    )


def _event(record: RunRecord, about: str, reason: str, told: list[Line]) -> Row:
    first, last = into_run_of(record, _first(told)), into_run_of(record, _at(told[-1]))
    when = first if first == last else f"{first} to {last}"
    return (
        when,
        about.replace("HorizontalPodAutoscaler/", "HPA/"),
        reason,
        count(_times(told)),
        str(told[-1].get("message", "")),
    )


def _times(told: list[Line]) -> int:
    """How often it was seen to happen: an event that is older than the watch brings its former count."""
    counts: dict[str, list[int]] = {}
    for one in told:
        counts.setdefault(str(one.get("uid", "")) + str(one.get("message", "")), []).append(int(one.get("count") or 1))
    return sum(max(known) - min(known) + 1 for known in counts.values())


def _first(told: Iterable[Line]) -> float:
    return min(_at(one) for one in told)


def _at(event: Line) -> float:
    return float(event.get("event_unix_s") or event["at_unix_s"])


def watch_table(record: RunRecord, cluster: ClusterRecord) -> Table:
    """When Kubernetes could not be seen, and what may not be."""
    gaps = [
        (into_run_of(record, gap.start_unix_s), duration(gap.end_unix_s - gap.start_unix_s),
         KINDS.get(gap.kind, gap.kind),
         gap.namespace or "the cluster", gap.trouble, "lost" if gap.lost else "told afterwards")
        for gap in sorted(cluster.gaps, key=lambda gap: gap.start_unix_s)
    ]  # fmt: skip
    refused = [(NOTHING, NOTHING, *_named(one), "never seen") for one in cluster.refused]
    return Table(
        name="watch",
        title="Where the watch was blind",
        columns=(number("Into the run"), number("For"), text("Of what"), text("Where"), text("Because"),
                 text("What happened then is")),
        rows=tuple([*gaps, *refused][:SHOWN_AT_MOST]),
        note=f"Watched through {cluster.started.get('server', NOTHING)}.{_left_out([*gaps, *refused])}",
        empty=f"Nowhere, as long as it watched (through {cluster.started.get('server', NOTHING)}).",
    )  # fmt: skip


def _named(refused: str) -> tuple[str, str, str]:
    """ "pods in hotel: 403 forbidden", in columns."""
    what, _, trouble = refused.rpartition(": ")
    kind, _, namespace = what.partition(" in ")
    return KINDS.get(kind, kind), namespace or "the cluster", trouble


def _left_out(rows: Iterable[object]) -> str:
    more = len(list(rows)) - SHOWN_AT_MOST
    return f" {more} more are in kubernetes/." if more > 0 else ""


def into_run_of(record: RunRecord, at_unix_s: float) -> str:
    """How far into the run; a dash when no load began."""
    start_unix_s = record.header.t0_unix_s
    return NOTHING if start_unix_s is None else into_run(at_unix_s - start_unix_s)
