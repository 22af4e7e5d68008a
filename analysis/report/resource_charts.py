"""The chart of what must not run out: memory, file handles and connections of the platform's processes."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.report.charting import LANE_PX, Charting, highest
from analysis.report.drawing import Thinning, area
from analysis.report.plots import Panel, Plot, Trace, plane
from analysis.report.scale import linear
from analysis.report.wording import count, figure
from analysis.timeline import MOST_PROCESSES, RESOURCE_COLUMNS
from slo.objective import Resource, Steady
from slo.steady import CALLED


def resources_panel(charting: Charting, unseen: Mapping[str, str]) -> Panel:
    """A lane for each process of each resource that is judged. unseen: resource → why nobody saw."""
    judged = [one.of for one in charting.plan.objectives if isinstance(one, Steady)]
    lanes = [(of, charting.named(f"{RESOURCE_COLUMNS[of][0]}: ")) for of in judged]
    missing = [f"{CALLED[of]}: {unseen.get(of) or 'nothing is known'}" for of, columns in lanes if not columns]
    several = any(len(columns) == MOST_PROCESSES for _, columns in lanes)
    note = f"Of each at most {MOST_PROCESSES} processes are drawn, those that gained most. " if several else ""
    return Panel(
        name="resources", title="What must not run out, by process", unit="",
        explain="A line that goes on rising is a leak; one that rises and then lies is a cache that has filled.",
        plots=tuple(
            _lane(charting, of, process, column)
            for of, columns in lanes
            for process, column in columns.items()
        ),
        note=note + (f"Not seen: {'; '.join(missing)}." if missing else ""),
    )  # fmt: skip


def _lane(charting: Charting, of: Resource, process: str, column: str) -> Plot:
    values = charting.thin(column, Thinning.WORST)
    scale = linear(highest(values), height_px=LANE_PX, whole=True)
    held = charting.held(column)
    unit, words = (", MB", figure) if of == "memory" else ("", count)
    told = f"{words(float(held[0]))} → {words(float(held[-1]))} over the hold" if len(held) else "not seen in the hold"
    return plane(scale, label=f"{CALLED[of]}{unit} — {process}", traces=(
        Trace(name="in use", colour="ochre", stroke="area", path=area(values, 0 * values, scale, charting.points),
              told=told, values=values),
    ))  # fmt: skip
