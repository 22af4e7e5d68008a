"""How a run came back from its spikes, for the report: a lane of broken windows, a table, and moments on the axis."""

from __future__ import annotations

import math
from collections.abc import Iterator

from analysis.report.charting import BAR_PX, Charting, span_on
from analysis.report.plots import Panel, Plot
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, duration, into_run, milliseconds, plural, share
from scenarios.plan import Plan
from slo.evidence import Evidence, NotSeen, Window
from slo.objective import Recovery
from slo.promises import Promise, PromiseWindow
from slo.recovery import Recovered, promised, quantile_name, recovered, worst_window_of

Seen = tuple[Recovery, Recovered]
Moment = tuple[float, str]  # unix seconds and what happened


def recoveries(evidence: Evidence, plan: Plan) -> tuple[Seen, ...]:
    """Every spike by each set of promises once: objectives that differ only in `since` and `within_s` share theirs."""
    spikes = () if isinstance(evidence.spikes, NotSeen) else evidence.spikes
    asked = {(promised(one), one.window_s): one for one in plan.objectives if isinstance(one, Recovery)}
    return tuple((one, recovered(one, spike)) for one in asked.values() for spike in spikes)


def moments(seen: tuple[Seen, ...]) -> tuple[Moment, ...]:
    """When each spike began and ended, and from when on the promises held again."""
    return tuple(dict.fromkeys(moment for _, one in seen for moment in _moments(one)))


def _moments(one: Recovered) -> Iterator[Moment]:
    spike = one.spike
    yield spike.window.start_unix_s, "the spike begins"
    if spike.until_unix_s >= spike.window.end_unix_s:
        yield spike.window.end_unix_s, "the spike has ended"
    if one.broken and one.back_unix_s is not None:
        yield one.back_unix_s, "the promises hold again from here on"
    elif one.ended_broken:
        yield spike.until_unix_s, "the watch ends with the promises still broken"


def promises_panel(charting: Charting, seen: tuple[Seen, ...]) -> Panel:
    """In which windows around a spike a promise was broken: a lane for each set of promises."""
    lanes: dict[str, list[tuple[Recovery, PromiseWindow]]] = {}
    for asked, one in seen:
        for window in (*one.before, *one.windows):
            if window.promise is not Promise.KEPT:
                word = "" if window.promise is Promise.BROKEN else ": too few requests to say"
                lanes.setdefault(promised(asked) + word, []).append((asked, window))
    return Panel(
        name="promises", title="Around the spike: windows in which a promise was broken", unit="",
        explain="Latency and errors of each few seconds, judged by themselves: what recovery is judged by.",
        plots=tuple(_lane(charting, label, [one for _, one in broken]) for label, broken in lanes.items()),
        note="" if lanes else "None: the promises held in every window.",
    )  # fmt: skip


def _lane(charting: Charting, label: str, windows: list[PromiseWindow]) -> Plot:
    stretches = [Window(start_unix_s=one.start_unix_s, end_unix_s=one.end_unix_s) for one in windows]
    spans = tuple(span for one in stretches if (span := span_on(charting.axis, one)) is not None)
    lasted_s = sum(one.duration_s for one in stretches)
    return Plot(
        label=label, height_px=BAR_PX, spans=spans, told=f"{plural(len(spans), 'window')}, {duration(lasted_s)}"
    )


def recovery_table(seen: tuple[Seen, ...], t0_unix_s: float | None) -> Table:
    """Each spike by each set of promises, with its instants."""
    return Table(
        name="recovery",
        title="How it came back from the spike",
        columns=(
            text("Spike", "minutes and seconds into the run"), number("Requests/s", "before, at its peak, after"),
            text("Promises"), number("Broken windows", "from the spike's onset on"), number("First broken"),
            number("Held again", "from then on to the end of the watch"), number("From its end"),
            number("From its onset"), number("Stayed held"), text("Worst window"),
        ),
        rows=tuple(_row(asked, one, t0_unix_s or 0.0) for asked, one in seen),
        note="A window proves nothing when it has too few requests. docs/limit.md says how windows are judged.",
        empty="The load had no spike that this run reached.",
    )  # fmt: skip


def _row(asked: Recovery, one: Recovered, t0_unix_s: float) -> tuple[str, ...]:
    spike, broken, back = one.spike, one.broken, one.back_unix_s
    onset, end, until = spike.window.start_unix_s, spike.window.end_unix_s, spike.until_unix_s
    return (
        f"{into_run(onset - t0_unix_s)} to {into_run(end - t0_unix_s)}",
        f"{count(spike.before_rps)} → {count(spike.peak_rps)} → {count(spike.after_rps)}",
        f"{promised(asked)}, each {asked.window_s} s",
        f"{len(broken)} of {len(one.windows)}",
        into_run(broken[0].start_unix_s - t0_unix_s) if broken else NOTHING,
        "not seen" if back is None else into_run(back - t0_unix_s) if broken else "never left",
        _took(one, end),
        _took(one, onset),
        NOTHING if back is None else duration(until - back),
        _worst(asked, one),
    )


def _took(one: Recovered, since_unix_s: float) -> str:
    if one.back_unix_s is None:
        return f"not within {duration(max(one.spike.until_unix_s - since_unix_s, 0.0))}"
    return duration(one.back_after_s(since_unix_s))


def _worst(asked: Recovery, one: Recovered) -> str:
    worst = worst_window_of(one.windows)
    if worst is None:
        return NOTHING
    latency = NOTHING if math.isnan(worst.latency_ms) else milliseconds(worst.latency_ms)
    return f"{quantile_name(asked)} {latency}, {share(worst.failed_ratio)} failed"
