"""Tables of flows: how many journeys began and came to their end, and how long what was accepted took to be seen."""

from __future__ import annotations

from analysis.journeys import seen_once
from analysis.latency_log import MISSING, VISIBLE
from analysis.report.load_tables import QUANTILES, stretch_told, times_told
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, share
from analysis.results import RunRecord
from scenarios.workload import Flow
from slo.evidence import Window


def journey_tables(record: RunRecord, hold: Window) -> tuple[Table, ...]:
    """Nothing for a plan without flows."""
    if not record.plan.workload.flows:
        return ()
    polls = record.plan.workload.polls
    return (_flows_table(record), *([_visibility_table(record, hold, polls)] if polls else ()))


def journeys_told(record: RunRecord) -> str:
    """How the journeys of each flow ended, in a line: a run may pass while many of them fail."""
    rows = (_flow_row(record, flow) for flow in record.plan.workload.flows)
    return "; ".join(
        f"{name}: {ended} of {begun} begun came to their end, {failed} failed on the way"
        for name, _, begun, ended, _, failed, _ in rows
    )


def _flows_table(record: RunRecord) -> Table:
    """Over the whole load: a journey begins in one second and ends in another."""
    return Table(
        name="flows",
        title="Each flow of requests",
        columns=(
            text("Flow"), number("Steps"), number("Begun"), number("To the end"), number("Of those begun"),
            number("Failed on the way"), text("Most often at"),
        ),
        rows=tuple(_flow_row(record, flow) for flow in record.plan.workload.flows),
        note="Over the whole load, warm-up included. A journey that the end of the load broke off did neither.",
    )  # fmt: skip


def _flow_row(record: RunRecord, flow: Flow) -> tuple[str, ...]:
    names = [step.name for step in flow.requests]
    counts = record.counts.groupby("request")[["sent", "ok", "failed"]].sum().reindex(names, fill_value=0)
    begun, failed = int(counts["sent"].iloc[0]), int(counts["failed"].sum())
    ended = seen_once(record, names[-1]) if flow.steps[-1].poll else int(counts["ok"].iloc[-1])
    where = str(counts["failed"].idxmax()).removeprefix(f"{flow.name}/") if failed else NOTHING
    of_begun = share(ended / begun) if begun else NOTHING
    return (flow.name, count(len(names)), count(begun), count(ended), of_begun, count(failed), where)


def _visibility_table(record: RunRecord, hold: Window, polls: tuple[str, ...]) -> Table:
    seconds, stretch = stretch_told(record, hold)
    inside = record.failures[record.failures["second"].isin(seconds)]

    def failures(name: str, kind: str) -> str:
        return count(inside.loc[(inside["request"] == name) & (inside["kind"] == kind), "count"].sum())

    def seen(name: str) -> str:
        return count(record.latency.spread([name + VISIBLE], seconds).total)

    return Table(
        name="visibility",
        title="Accepted → visible",
        columns=(
            text("Step"), number("Seen"), *(number(title) for _, title in QUANTILES),
            number("Missing", "not seen in the time allowed"), number("Repeated", "took effect more than once"),
        ),
        rows=tuple(
            (name, seen(name), *times_told(record, [name + VISIBLE, name + MISSING], seconds),
             failures(name, "effect missing"), failures(name, "effect repeated"))
            for name in polls
        ),
        note=f"{stretch} From the answer that accepted it to the first that shows its effect; one that never "
        "showed counts with the whole time it was waited for.",
    )  # fmt: skip
