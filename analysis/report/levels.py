"""A search's levels as the report shows them: a chart of rate against latency and failures, and a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.report.plots import Level, limits_at, tick_label
from analysis.report.scale import Scale, linear, logarithmic
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, duration, milliseconds, share
from scenarios.plan import Plan
from slo.evidence import Evidence
from slo.level import JudgedLevel
from slo.objective import ErrorRatio, Latency

TALL_PX, LOW_PX = 170.0, 80.0
ROOM = 0.06  # of the width, left and right of the outermost levels


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One level's figure. x in percent of the width, y in pixels; its outcome decides its look."""

    x: float
    y: float
    outcome: str
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPlane:
    """One figure of every level over the rate."""

    title: str
    height_px: float
    ticks: tuple[Level, ...]
    limits: tuple[Level, ...]
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChart:
    """The planes, and the rates below them: x in percent and words."""

    planes: tuple[LevelPlane, ...]
    rates: tuple[tuple[float, str], ...]
    summary: str


def level_chart(evidence: Evidence, plan: Plan) -> LevelChart | None:
    """Rate against P95, P99 and failures; None for a run without a search."""
    levels = evidence.levels
    if not levels:
        return None
    place = _places(levels)
    limits = {
        one.quantile_ratio: one.below_ms for one in plan.objectives if isinstance(one, Latency) and not one.requests
    }
    failing = [one.below_ratio for one in plan.objectives if isinstance(one, ErrorRatio) and not one.requests][:1]
    of_levels = [(f"P{ratio * 100:g}, ms", figure, limits.get(ratio)) for ratio, figure in _LATENCIES]
    planes = [_latency_plane(title, levels, figure, below_ms, place) for title, figure, below_ms in of_levels]
    failures = _failure_plane(levels, failing[0] if failing else None, place)
    ordered = sorted({level.rate_rps for level in levels})
    told = "; ".join(f"{count(level.rate_rps)} requests/s {level.says.outcome}" for level in levels)
    return LevelChart(
        planes=(*planes, failures), rates=tuple((place(rate), count(rate)) for rate in _apart(ordered, place)),
        summary=f"Levels in the order they were held: {told}.",
    )  # fmt: skip


_LATENCIES: tuple[tuple[float, Callable[[JudgedLevel], float | None]], ...] = (
    (0.95, lambda level: level.p95_ms),
    (0.99, lambda level: level.p99_ms),
)


def levels_table(evidence: Evidence) -> Table:
    """Every level with its figures."""
    return Table(
        name="levels",
        title="The search, level by level",
        columns=(
            number("Level"), number("Rate", "requests a second to prove; what was offered is a little more"),
            number("Held"), text("Outcome"), text("By"), number("Answered"), number("P95"), number("P99"),
            number("Failed"), text("Because"),
        ),
        rows=tuple(_row(level) for level in evidence.levels),
        note="A level is met when every required objective is. Undecided and void count as not met; only a miss is the "
        "platform's own.",
        empty="No level was held to its end.",
    )  # fmt: skip


def _row(level: JudgedLevel) -> tuple[str, ...]:
    outcome = level.says.outcome.upper()
    if level.said_live and level.said_live != level.says.outcome:
        outcome += f" (while it went on: {level.said_live})"
    return (
        str(level.number), count(level.rate_rps), duration(level.held_s), outcome, ", ".join(level.says.by) or NOTHING,
        _or_nothing(level.answered_rps, count), _or_nothing(level.p95_ms, milliseconds),
        _or_nothing(level.p99_ms, milliseconds), _or_nothing(level.failed_ratio, share), level.says.because,
    )  # fmt: skip


def _or_nothing(value: float | None, words: Callable[[float], str]) -> str:
    return NOTHING if value is None else words(value)


def _places(levels: tuple[JudgedLevel, ...]) -> Callable[[float], float]:
    """Where a rate stands, in percent of the width: equal steps to the right are equal factors."""
    rates = np.log([level.rate_rps for level in levels])
    low, width = float(rates.min()), float(rates.max() - rates.min()) or 1.0
    return lambda rate_rps: round(100 * (ROOM + (1 - 2 * ROOM) * (float(np.log(rate_rps)) - low) / width), 2)


def _apart(rates: list[float], place: Callable[[float], float]) -> list[float]:
    """The rates whose words do not run into one another; the outermost always."""
    kept: list[float] = []
    for rate in rates:
        if not kept or place(rate) - place(kept[-1]) > 5:
            kept.append(rate)
    return kept


def _latency_plane(
    title: str,
    levels: tuple[JudgedLevel, ...],
    figure: Callable[[JudgedLevel], float | None],
    below_ms: float | None,
    place: Callable[[float], float],
) -> LevelPlane:
    seen = [value for level in levels if (value := figure(level)) is not None]
    values = [*seen, *([below_ms] if below_ms else [])]
    scale = logarithmic(min(values, default=np.inf), max(values, default=-np.inf), height_px=TALL_PX)
    limits = {f"limit {milliseconds(below_ms)}": (below_ms, "blue")} if below_ms else {}
    return _plane(title, scale, levels, figure, limits, place, milliseconds)


def _failure_plane(
    levels: tuple[JudgedLevel, ...], below_ratio: float | None, place: Callable[[float], float]
) -> LevelPlane:
    seen = [level.failed_ratio or 0.0 for level in levels]
    scale = linear(100 * max([*seen, (below_ratio or 0.01) * 1.2]), height_px=LOW_PX)
    limits = {f"limit {share(below_ratio)}": (100 * below_ratio, "red")} if below_ratio else {}

    def percent(level: JudgedLevel) -> float | None:
        return None if level.failed_ratio is None else 100 * level.failed_ratio

    return _plane("Failed, %", scale, levels, percent, limits, place, lambda value: share(value / 100))


def _plane(  # noqa: PLR0913, PLR0917  (a plane is what its six parts say)
    title: str,
    scale: Scale,
    levels: tuple[JudgedLevel, ...],
    figure: Callable[[JudgedLevel], float | None],
    limits: dict[str, tuple[float, str]],
    place: Callable[[float], float],
    words: Callable[[float], str],
) -> LevelPlane:
    dots = tuple(
        Dot(
            x=place(level.rate_rps), y=round(float(scale.y(value)), 1), outcome=level.says.outcome.value,
            told=f"level {level.number}, {count(level.rate_rps)} requests/s: {words(value)}, {level.says.outcome}",
        )
        for level in levels
        if (value := figure(level)) is not None
    )  # fmt: skip
    ticks = tuple(Level(y=round(float(scale.y(value)), 1), label=tick_label(value)) for value in scale.ticks)
    return LevelPlane(title=title, height_px=scale.height_px, ticks=ticks, limits=limits_at(scale, limits), dots=dots)
