"""What each autoscaler did, by the better of two witnesses: Kubernetes itself, or else Prometheus."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from analysis.autoscaling.legs import LoadRise, load_rises, scale_ups
from analysis.cluster.courses import conditions_of, course_of, desired_of, wanted_more
from analysis.cluster.ports import Kind
from analysis.cluster.record import ClusterRecord
from analysis.hold import Hold, hold_of
from analysis.ports import Series
from analysis.replicas import autoscaler_series, last_known
from analysis.results import RunRecord
from slo.evidence import AutoscalerSeries, NotSeen, Window
from slo.validity import Blindness

Autoscalers = tuple[AutoscalerSeries, ...]
STEERED_BY = (Kind.HPAS.value, Kind.DEPLOYMENTS.value)  # without either a state of the autoscalers is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Both witnesses, and which of them is believed."""

    believed: Autoscalers | NotSeen
    by_kubernetes: Autoscalers | NotSeen
    by_prometheus: Autoscalers | NotSeen
    blindness: Blindness | None = None  # the longest stretch of the hold that Kubernetes told nothing about


@lru_cache(maxsize=1)  # evidence, timeline and report each ask for it
def autoscalers_seen(record: RunRecord, cluster: ClusterRecord | None) -> Seen:
    """Kubernetes is believed: it looks every 2 s and tells reasons. Where it told nothing for too long, Prometheus."""
    hold, rises = hold_of(record), _rises(record)
    prometheus = autoscaler_series(record.folder / "evidence", rises)
    if cluster is None:
        nothing = NotSeen("no cluster was watched")
        return Seen(believed=prometheus, by_kubernetes=nothing, by_prometheus=prometheus)
    kubernetes = _by_kubernetes(cluster, rises)
    if isinstance(kubernetes, NotSeen):
        believed = kubernetes if isinstance(prometheus, NotSeen) else prometheus
        return Seen(believed=believed, by_kubernetes=kubernetes, by_prometheus=prometheus)
    blindness = _blindness(cluster, kubernetes, hold)
    allowed_s = record.plan.thresholds.watch_blind_s
    if blindness and blindness.lasted_s > allowed_s and _covers(prometheus, blindness, allowed_s):
        bridged = Blindness(
            lasted_s=blindness.lasted_s, since_unix_s=blindness.since_unix_s, because=blindness.because, bridged=True
        )
        return Seen(believed=prometheus, by_kubernetes=kubernetes, by_prometheus=prometheus, blindness=bridged)
    return Seen(believed=kubernetes, by_kubernetes=kubernetes, by_prometheus=prometheus, blindness=blindness)


def during(series: Autoscalers | NotSeen, start_unix_s: float, end_unix_s: float) -> Autoscalers | NotSeen:
    """What they did in this stretch: what other legs of a search asked of them is not told of this one."""
    if isinstance(series, NotSeen):
        return series
    return tuple(_seen_between(one, start_unix_s, end_unix_s) for one in series)


def _seen_between(one: AutoscalerSeries, start_unix_s: float, end_unix_s: float) -> AutoscalerSeries:
    kept = (one.at_unix_s >= start_unix_s) & (one.at_unix_s <= end_unix_s)
    arrays = {name: getattr(one, name)[kept] for name in ("at_unix_s", "desired", "ready", "wanted_more")}
    ups = tuple(up for up in one.scale_ups if start_unix_s <= up.desired_unix_s <= end_unix_s)
    return replace(one, **arrays, scale_ups=ups)


def _rises(record: RunRecord) -> tuple[LoadRise, ...]:
    t0_unix_s = record.header.t0_unix_s
    return () if t0_unix_s is None else load_rises(record.plan.profile, t0_unix_s)


def _by_kubernetes(cluster: ClusterRecord, rises: tuple[LoadRise, ...]) -> Autoscalers | NotSeen:
    told = {name: readings for name, readings in cluster.hpas.items() if readings}
    if not told:
        refused = next((one for one in cluster.refused if one.startswith(Kind.HPAS)), "")
        return NotSeen(f"Kubernetes told of no HPA{f' ({refused})' if refused else ''}")
    series = [_series(name, cluster, rises) for name in told]
    unknown = [name for name, one in zip(told, series, strict=True) if one is None]
    if unknown:
        return NotSeen(f"Kubernetes did not tell the replicas of {', '.join(unknown)}")
    return tuple(one for one in series if one is not None)


def _series(name: str, cluster: ClusterRecord, rises: tuple[LoadRise, ...]) -> AutoscalerSeries | None:
    readings, course = cluster.hpas[name], course_of(name, cluster)
    if course is None:
        return None
    looks = desired_of(readings)
    ready = Series(labels={}, at_unix_s=course.ready.at_unix_s, values=course.ready.values)
    return AutoscalerSeries(
        name=name,
        source=f"Kubernetes' own word, every {cluster.look_every_s:g} s",
        at_unix_s=looks.at_unix_s,
        desired=looks.values,
        ready=np.nan_to_num(last_known(ready, looks.at_unix_s)),
        min_replicas=int(readings[-1].told["min"]),
        max_replicas=int(readings[-1].told["max"]),
        wanted_more=wanted_more(readings),
        conditions=conditions_of(readings, cluster.look_every_s),
        scale_ups=scale_ups(course, rises),
    )


def _blindness(cluster: ClusterRecord, told: Autoscalers, hold: Hold) -> Blindness | None:
    """The longest stretch of the hold between two looks at an HPA, or without word of what it scales."""
    if not hold.seconds:
        return None
    holes = [hole for one in told for hole in _holes(one, hold.window, cluster.look_every_s)]
    gaps = [gap for gap in cluster.gaps if gap.kind in STEERED_BY and gap.namespace == cluster.target_namespace]
    holes += [_cut(gap.start_unix_s, gap.end_unix_s, hold.window) for gap in gaps]
    longest = max(holes, key=lambda hole: hole.duration_s, default=None)
    if longest is None or longest.duration_s <= 0:
        return None
    because = next((gap.trouble for gap in gaps if _cut(gap.start_unix_s, gap.end_unix_s, longest).duration_s > 0), "")
    return Blindness(lasted_s=longest.duration_s, since_unix_s=longest.start_unix_s, because=because, bridged=False)


def _holes(one: AutoscalerSeries, window: Window, usual_s: float) -> list[Window]:
    """What lies between two looks, less the usual time."""
    inside = one.at_unix_s[(one.at_unix_s > window.start_unix_s) & (one.at_unix_s < window.end_unix_s)]
    edges = np.concatenate(([window.start_unix_s], inside, [window.end_unix_s]))
    place = int(np.argmax(np.diff(edges)))
    return [Window(start_unix_s=float(edges[place]), end_unix_s=float(max(edges[place + 1] - usual_s, edges[place])))]


def _cut(start_unix_s: float, end_unix_s: float, window: Window) -> Window:
    start = max(start_unix_s, window.start_unix_s)
    return Window(start_unix_s=start, end_unix_s=max(start, min(end_unix_s, window.end_unix_s)))


def _covers(prometheus: Autoscalers | NotSeen, blindness: Blindness, allowed_s: float) -> bool:
    """Whether Prometheus saw every autoscaler while Kubernetes told nothing, with no long hole of its own."""
    if isinstance(prometheus, NotSeen):
        return False
    dark = Window(start_unix_s=blindness.since_unix_s, end_unix_s=blindness.since_unix_s + blindness.lasted_s)
    return all(_holes(one, dark, 0.0)[0].duration_s <= allowed_s for one in prometheus)
