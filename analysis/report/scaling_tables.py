"""Tables of the autoscalers: how each scale-up went, leg by leg, and what each witness says of each autoscaler."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from analysis.autoscalers import Seen
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, duration, figure, into_run
from analysis.results import RunRecord
from slo.evidence import AutoscalerSeries, NotSeen, Window
from slo.scale_ups import ScaleUp, Stage

STAGES = {
    Stage.OVER_TARGET: ("Over target", "until the metric, as the autoscaler sees it, was over its target"),
    Stage.DESIRED: ("Decided", "from there until the autoscaler asked for more"),
    Stage.REPLICAS: ("Created", "from there until the pods were created"),
    Stage.SCHEDULED: ("On a node", "from there until every pod had a node"),
    Stage.READY: ("Ready", "from there until all of them could serve"),
}
STEERING = ("ScalingActive", "AbleToScale")
TOO_MANY = "TooManyReplicas"
SHOWN_AT_MOST = 15


def scale_ups_table(record: RunRecord, seen: Seen) -> Table:
    """A row a raise: when the load rose, how long each leg took, and which was the slowest."""
    autoscalers = () if isinstance(seen.believed, NotSeen) else seen.believed
    rows = [(one.name, up) for one in autoscalers for up in one.scale_ups]
    slowest = sorted(rows, key=lambda row: -(row[1].took_s or math.inf))[:SHOWN_AT_MOST]
    shown = sorted(slowest, key=lambda row: row[1].desired_unix_s)
    stages = [stage for stage in STAGES if any(leg.stage is stage for _, up in shown for leg in up.legs)]
    more = f" The slowest {SHOWN_AT_MOST} of {len(rows)}; verdict.json has all." if len(rows) > SHOWN_AT_MOST else ""
    why = seen.believed.because if isinstance(seen.believed, NotSeen) else ""
    return Table(
        name="scale-ups",
        title="How each scale-up went",
        columns=(
            text("Autoscaler"), text("Replicas"), text("Counts from", "the load's rise, or the raise before it"),
            *(number(*STAGES[stage]) for stage in stages),
            number("In all"), text("The slowest leg", "in a ramp the time before it was needed blames nobody"),
        ),
        rows=tuple((name, *_scale_up(record, up, stages)) for name, up in shown),
        note="Each figure is the time from the stage before it. What nobody saw is left out or a dash, and its time is "
        f"in the next figure.{more}",
        empty=f"Not seen: {why}." if why else "No autoscaler asked for more replicas.",
    )  # fmt: skip


def _scale_up(record: RunRecord, up: ScaleUp, stages: list[Stage]) -> tuple[str, ...]:
    took = {leg.stage: _seconds(leg.took_s) for leg in up.legs}
    blamed = up.blamed
    return (
        f"{up.from_replicas} → {up.to_replicas}", _from(record, up),
        *(took.get(stage, NOTHING) for stage in stages),
        "never ready" if up.took_s is None else _seconds(up.took_s),
        f"{STAGES[blamed.stage][0]}, {_seconds(blamed.took_s)}" if blamed else "none",
    )  # fmt: skip


def _from(record: RunRecord, up: ScaleUp) -> str:
    start_unix_s = record.header.t0_unix_s
    at = NOTHING if start_unix_s is None else into_run(up.since_unix_s - start_unix_s)
    if up.load_unix_s is None:
        return f"{at}, before the load"
    if up.since_unix_s > up.load_unix_s:
        return f"{at}, the raise before"
    return f"{at}, the load's step" if up.by_step else f"{at}, the ramp's beginning"


def autoscalers_table(seen: Seen, hold: Window) -> Table:
    """What each autoscaler did, by Kubernetes' word and by Prometheus', side by side."""
    witnesses = {"Kubernetes": seen.by_kubernetes, "Prometheus": seen.by_prometheus}
    names = sorted({one.name for told in witnesses.values() if not isinstance(told, NotSeen) for one in told})
    absent = [f"{by}: {told.because}" for by, told in witnesses.items() if isinstance(told, NotSeen)]
    believed = next((by for by, told in witnesses.items() if told is seen.believed), "")
    return Table(
        name="autoscalers",
        title="Each autoscaler in the hold",
        columns=(
            text("Autoscaler"), text("Allowed"), text("By", "whose word it is"), number("Most", "wanted in the hold"),
            number("Wanted", "at the end of the hold"), number("Ready", "at the end of the hold"),
            text("Held back", "for how long it was at its maximum and wanted more, or could not steer"),
        ),
        rows=tuple(row for name in names for row in _witnesses(name, witnesses, hold)),
        note=f"{believed} is believed." if not absent else f"{'; '.join(absent)}.",
        empty=f"Not seen. {'; '.join(absent)}.",
    )  # fmt: skip


def _witnesses(
    name: str, witnesses: dict[str, tuple[AutoscalerSeries, ...] | NotSeen], hold: Window
) -> Iterator[tuple[str, ...]]:
    for by, told in witnesses.items():
        for one in () if isinstance(told, NotSeen) else told:
            if one.name == name:
                yield (name, f"{one.min_replicas} to {one.max_replicas}", by, *_in_hold(one, hold))


def _in_hold(one: AutoscalerSeries, hold: Window) -> tuple[str, ...]:
    held = (one.at_unix_s >= hold.start_unix_s) & (one.at_unix_s <= hold.end_unix_s)
    if not held.any():
        return (*(NOTHING,) * 3, "nothing was seen of it in the hold")
    figures = (one.desired[held].max(), one.desired[held][-1], one.ready[held][-1])
    return (*(count(float(figure)) for figure in figures), _held_back(one, hold) or "never")


def _held_back(one: AutoscalerSeries, hold: Window) -> str:
    """By which reasons and for how long; without reasons only by what kind of condition."""
    lasted_s: dict[str, float] = {}
    for told in one.conditions:
        bad = not told.holds if told.kind in STEERING else told.holds and told.reason == TOO_MANY
        if bad and (overlap_s := _overlap_s(told.window, hold)) > 0:
            words = told.reason or f"{told.kind} false"
            lasted_s[words] = lasted_s.get(words, 0.0) + overlap_s
    held = (one.at_unix_s >= hold.start_unix_s) & (one.at_unix_s <= hold.end_unix_s)
    wanting = held & one.wanted_more
    if wanting.any() and TOO_MANY not in lasted_s:
        spacing_s = float(np.median(np.diff(one.at_unix_s))) if len(one.at_unix_s) > 1 else 0.0
        lasted_s["at its maximum while wanting more"] = min(spacing_s * float(wanting.sum()), hold.duration_s)
    return ", ".join(f"{words} {duration(time_s)}" for words, time_s in lasted_s.items())


def _overlap_s(window: Window, hold: Window) -> float:
    return max(min(window.end_unix_s, hold.end_unix_s) - max(window.start_unix_s, hold.start_unix_s), 0.0)


def _seconds(time_s: float) -> str:
    return f"{figure(round(time_s, 1))} s"
