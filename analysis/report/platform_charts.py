"""Charts of what the platform's own metrics say: replicas, backlog, alerts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.report.charting import BAR_PX, LANE_PX, Charting, highest, span_on
from analysis.report.drawing import Thinning, area, steps
from analysis.report.plots import Panel, Plot, Span, Trace, plane
from analysis.report.scale import linear
from analysis.report.wording import count, duration, figure, plural
from slo.evidence import AutoscalerSeries, Window

STEERING = ("ScalingActive", "AbleToScale")
TOO_MANY = "TooManyReplicas"
CLOSE_ALERT_GAPS_S = 5  # an alert that is asked about every few seconds is one stretch


def replicas_panel(charting: Charting, unseen: str) -> Panel:
    """What each autoscaler wanted and had; those that never moved are named. unseen: why nobody saw, or empty."""
    desired, ready = charting.named("replicas desired: "), charting.named("replicas ready: ")
    moved = [hpa for hpa in desired if hpa in ready and _moves(charting, desired[hpa], ready[hpa])]
    steady = [f"{hpa} ({figure(_last(charting, ready[hpa]))})" for hpa in desired if hpa in ready and hpa not in moved]
    note = f"Steady the whole time: {', '.join(steady)}." if steady else ""
    if not desired:
        note = f"Not seen: {unseen or 'no autoscaler is known'}."
    return Panel(
        name="replicas", title="Replicas, by autoscaler", unit="",
        explain="What each autoscaler (HPA) wanted and what was ready to serve.",
        plots=tuple(_lane(charting, hpa, desired[hpa], ready[hpa]) for hpa in moved), note=note,
    )  # fmt: skip


def _lane(charting: Charting, hpa: str, desired: str, ready: str) -> Plot:
    wanted, had = charting.thin(desired, Thinning.LAST), charting.thin(ready, Thinning.LAST)
    scale = linear(highest(wanted, had), height_px=LANE_PX, whole=True)
    return plane(scale, label=hpa, told=charting.autoscalers.get(hpa, ""), traces=(
        Trace(name="ready", colour="teal", stroke="area", path=area(had, 0 * had, scale, charting.points),
              told=_from_to(charting, ready), values=had),
        Trace(name="desired", colour="ink", stroke="line", path=steps(wanted, scale, charting.points),
              told=_from_to(charting, desired), values=wanted),
    ))  # fmt: skip


def backlog_panel(charting: Charting, unseen: str) -> Panel:
    """How deep each queue was. unseen: why nobody saw, or empty."""
    queues = charting.named("backlog: ")
    deep = [queue for queue in queues if charting.timeline[queues[queue]].max() > 0]
    empty = [queue for queue in queues if queue not in deep]
    note = f"Empty the whole time: {', '.join(empty)}." if empty else ""
    if not queues:
        note = f"Not seen: {unseen or 'no queue is known'}."
    return Panel(
        name="backlog", title="Backlog, by queue", unit="",
        explain="Work the platform has accepted and not yet done.",
        plots=tuple(_queue(charting, queue, queues[queue]) for queue in deep), note=note,
    )  # fmt: skip


def _queue(charting: Charting, queue: str, column: str) -> Plot:
    depth = charting.thin(column, Thinning.WORST)
    scale = linear(highest(depth), height_px=LANE_PX, whole=True)
    told = f"at most {count(charting.timeline[column].max())}"
    return plane(scale, label=queue, traces=(
        Trace(name="waiting", colour="purple", stroke="area", path=area(depth, 0 * depth, scale, charting.points),
              told=told, values=depth),
    ))  # fmt: skip


def alerts_panel(charting: Charting, unseen: str) -> Panel:
    """Which alerts fired, and when. unseen: why nobody saw, or empty."""
    firing = charting.timeline["alerts"].fillna("").str.split(",")
    names = sorted({name for second in firing for name in second if name})
    lanes = [_alert(name, firing.map(lambda second, name=name: name in second).to_numpy()) for name in names]
    note = "" if names else f"Not seen: {unseen}." if unseen else "No alert fired."
    return Panel(name="alerts", title="Alerts that fired", explain="As Prometheus saw them.", unit="",
                 plots=tuple(lanes), note=note)  # fmt: skip


def _alert(name: str, fires: NDArray[np.bool_]) -> Plot:
    on = np.flatnonzero(fires)
    runs = np.split(on, np.flatnonzero(np.diff(on) > CLOSE_ALERT_GAPS_S) + 1)
    each = 100 / len(fires)
    spans = tuple(Span(start=round(run[0] * each, 3), width=round((run[-1] - run[0] + 1) * each, 3)) for run in runs)
    fired_s = sum(int(run[-1] - run[0] + 1) for run in runs)
    told = f"{plural(len(runs), 'time')}, {duration(fired_s)} in all"
    return Plot(label=name, height_px=BAR_PX, spans=spans, told=told)


def conditions_panel(charting: Charting, autoscalers: tuple[AutoscalerSeries, ...]) -> Panel:
    """When autoscalers wanted more than they may have, or could not steer at all: a lane each, by reason."""
    lanes: dict[str, list[Window]] = {}
    for one in autoscalers:
        for told in one.conditions:
            if told.reason and (told.reason == TOO_MANY if told.holds else told.kind in STEERING):
                lanes.setdefault(f"{one.name}: {told.reason}", []).append(told.window)
    note = "" if lanes else "None: all could steer the whole time, and none wanted more than its maximum."
    return Panel(
        name="conditions", title="What held autoscalers back", unit="",
        explain="TooManyReplicas: at its maximum while wanting more. Failed…: it could not read its metrics, or scale.",
        plots=tuple(_condition(charting, label, windows) for label, windows in lanes.items()), note=note,
    )  # fmt: skip


def _condition(charting: Charting, label: str, windows: list[Window]) -> Plot:
    spans = tuple(span for window in windows if (span := span_on(charting.axis, window)) is not None)
    lasted_s = sum(window.duration_s for window in windows)
    told = f"{plural(len(windows), 'time')}, {duration(lasted_s)} in all"
    return Plot(label=label, height_px=BAR_PX, spans=spans, told=told)


def _moves(charting: Charting, *columns: str) -> bool:
    return len(np.unique(charting.timeline[list(columns)].stack())) > 1


def _last(charting: Charting, column: str) -> float:
    seen = charting.timeline[column].dropna()
    return float(seen.iloc[-1]) if len(seen) else float("nan")


def _from_to(charting: Charting, column: str) -> str:
    seen = charting.timeline[column].dropna()
    if seen.empty:
        return "not seen"
    return f"{figure(float(seen.iloc[0]))} → {figure(float(seen.iloc[-1]))}, at most {figure(float(seen.max()))}"
