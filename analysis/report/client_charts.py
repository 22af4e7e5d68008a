"""Charts of what golive itself sent and saw: rates, latency, failures, its own lag."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report.charting import LOW_PX, TALL_PX, Charting, between, highest
from analysis.report.drawing import Thinning, area, line, thinned
from analysis.report.plots import Panel, Plot, Trace, limits_at, plane
from analysis.report.scale import linear, logarithmic
from analysis.report.wording import count, figure, milliseconds
from slo.objective import Latency

KIND_COLOURS = ("red", "ochre", "purple", "blue", "teal")
# Drawn in this order: where P95 covers P99, the wider line below still shows.
PERCENTILES = (("P99", "p99_ms", "purple", 0.99), ("P95", "p95_ms", "blue", 0.95), ("P50", "p50_ms", "teal", 0.50))
UNSENT = "unsent (golive's own)"


def rate_panel(charting: Charting) -> Panel:
    """Requests a second: what was due and what came back."""
    offered, answered = charting.in_load("offered_rps"), charting.in_load("ok_rps")
    prove_rps = charting.plan.rate_to_prove_rps
    scale = linear(highest(offered, answered, at_least=prove_rps), height_px=TALL_PX)
    traces = (
        Trace(name="offered", colour="grey", stroke="area", path=area(offered, 0 * offered, scale, charting.points),
              told=between(charting.held("offered_rps"), count), values=offered),
        Trace(name="answered", colour="blue", stroke="line", path=line(answered, scale, charting.points),
              told=between(charting.held("ok_rps"), count), values=answered),
    )  # fmt: skip
    limits = limits_at(scale, {f"to prove: {figure(prove_rps)}/s": (prove_rps, "blue")})
    return Panel(
        name="rate", title="Offered and answered, requests a second", unit="/s",
        explain="Offered is what the plan had due. Answered is what came back as expected, booked to the second it was "
        "due in.",
        plots=(plane(scale, traces, limits=limits),),
    )  # fmt: skip


def latency_panel(charting: Charting) -> Panel:
    """The percentiles of every second, with the limits the plan sets."""
    limits = {
        one.quantile_ratio: one.below_ms
        for one in charting.plan.objectives
        if isinstance(one, Latency) and not one.requests
    }
    values = {column: charting.thin(column, Thinning.WORST) for _, column, _, _ in PERCENTILES}
    seen = np.concatenate([*values.values(), np.array(list(limits.values()))])
    seen = seen[~np.isnan(seen)]
    scale = logarithmic(seen.min(initial=np.inf), seen.max(initial=-np.inf), height_px=TALL_PX)
    traces = tuple(
        Trace(name=name, colour=colour, stroke="line wide" if name == "P99" else "line", values=values[column],
              path=line(values[column], scale, charting.points), told=between(charting.held(column), milliseconds))
        for name, column, colour, _ in PERCENTILES
    )  # fmt: skip
    colours = {ratio: colour for _, _, colour, ratio in PERCENTILES}
    levels = limits_at(scale, {
        f"P{100 * ratio:g} limit {milliseconds(below_ms)}": (below_ms, colours.get(ratio, "grey"))
        for ratio, below_ms in limits.items()
    })  # fmt: skip
    return Panel(
        name="latency", title="Latency, in milliseconds", unit="ms",
        explain="From the instant each request was due. P95: 95 % were answered at least this fast. The scale is "
        "logarithmic: equal steps up are equal factors.",
        plots=(plane(scale, traces, limits=levels),),
        note="" if charting.timeline["p50_ms"].notna().any() else "No request was answered.",
    )  # fmt: skip


def failures_panel(charting: Charting) -> Panel:
    """Failures by kind, one on top of the other, and below them what golive itself did not send."""
    kinds = _by_kind(charting)
    return Panel(
        name="errors", title="Failures by kind, requests a second", unit="/s",
        explain="Requests not answered as the workload expects, booked to the second they were due in, one kind on "
        "top of the other.",
        plots=(_stacked(charting, kinds),) if kinds else (),
        note="" if kinds else "No request failed, and none went unsent.",
    )  # fmt: skip


def _by_kind(charting: Charting) -> dict[str, pd.Series[float]]:
    """The most frequent kinds by name, the rest together; unsent requests are a kind of their own."""
    columns = charting.named("failed: ")
    often = sorted(columns, key=lambda kind: -float(charting.timeline[columns[kind]].sum()))
    kinds = {kind: charting.timeline[columns[kind]] for kind in often[: len(KIND_COLOURS)]}
    if len(often) > len(KIND_COLOURS):
        rest = [columns[kind] for kind in often[len(KIND_COLOURS) :]]
        kinds["other kinds"] = charting.timeline[rest].sum(axis=1)
    if charting.timeline["unsent_rps"].sum() > 0:
        kinds[UNSENT] = charting.timeline["unsent_rps"]
    return kinds


def _stacked(charting: Charting, kinds: dict[str, pd.Series[float]]) -> Plot:
    worst = [thinned(kind, charting.axis.seconds_per_point, Thinning.WORST) for kind in kinds.values()]
    tops = np.cumsum(worst, axis=0)
    floors = np.vstack([np.zeros(tops.shape[1]), tops[:-1]])
    scale = linear(highest(tops[-1]), height_px=LOW_PX, whole=True)
    # Where nothing failed nothing is drawn: a coloured line along the bottom looks like a little.
    seen = np.where(tops[-1] > 0, tops, np.nan)
    colours = (*KIND_COLOURS[: len(kinds)], *["grey"] * (len(kinds) - len(KIND_COLOURS)))
    return plane(scale, tuple(
        Trace(name=name, colour="ink" if name == UNSENT else colour, stroke="area", values=values,
              path=area(top, floor, scale, charting.points), told=f"{count(float(kinds[name].sum()))} in all")
        for name, colour, top, floor, values in zip(kinds, colours, seen, floors, worst, strict=True)
    ))  # fmt: skip


def lag_panel(charting: Charting) -> Panel:
    """How late golive itself sent."""
    lag_ms = charting.thin("lag_p99_ms", Thinning.WORST)
    limit_ms = charting.plan.thresholds.lag_p99_ms
    scale = linear(highest(lag_ms, at_least=1.1 * limit_ms), height_px=LOW_PX)
    trace = Trace(name="lag, P99", colour="ochre", stroke="line", path=line(lag_ms, scale, charting.points),
                  told=between(charting.held("lag_p99_ms"), milliseconds), values=lag_ms)  # fmt: skip
    limits = limits_at(scale, {f"voids latency above {milliseconds(limit_ms)}": (limit_ms, "ochre")})
    return Panel(
        name="lag", title="How late golive itself sent, in milliseconds", unit="ms",
        explain="Schedule lag: evidence about golive, not about the platform. 99 % of the requests left at most this "
        "late.",
        plots=(plane(scale, (trace,), limits=limits),),
        note="" if charting.timeline["lag_p99_ms"].notna().any() else "Nothing was sent.",
    )  # fmt: skip
