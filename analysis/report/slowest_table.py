"""The table of the slowest requests, one by one, with the traces to look them up by."""

from __future__ import annotations

from analysis.exemplars import Exemplar, read_exemplars, slowest
from analysis.report.load_tables import stretch_told
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, into_run, milliseconds
from analysis.results import RunRecord
from slo.evidence import Window

OF_EACH = 3
UNTRACED = (
    "The requests carried no trace: `sending: {traceparent: true}` in the plan gives each one that the platform's own"
    " tracing can be searched for."
)
TRACED = "The platform's own tracing can be searched for the trace; a sampled one asked to be kept."


def slowest_table(record: RunRecord, hold: Window) -> Table:
    """The slowest few of each kind of request, answered and failed."""
    seconds, stretch = stretch_told(record, hold)
    found = slowest(read_exemplars(record.folder), of_each=OF_EACH, seconds=seconds)
    has_traces = any(one.trace_id for one in found)
    return Table(
        name="slowest",
        title="The slowest requests",
        columns=(
            text("Request"), text("Ended"), number("Took", "from the instant it was due to its end"),
            number("To send", "of this, from the instant it was due until it was written: the generator's own part"),
            number("Due", "into the run"), *([text("Sampled"), text("Trace")] if has_traces else []),
        ),
        rows=tuple(_row(one, record, has_traces=has_traces) for one in found),
        note=f"{stretch} The slowest {OF_EACH} of each kind answered as expected, and of each that failed."
        f" {TRACED if has_traces else UNTRACED}",
        empty="None was kept.",
    )  # fmt: skip


def _row(one: Exemplar, record: RunRecord, *, has_traces: bool) -> tuple[str, ...]:
    t0_us = (record.header.t0_unix_s or one.second) * 1e6
    waited = NOTHING if one.sent_unix_us is None else milliseconds((one.sent_unix_us - one.due_unix_us) / 1e3)
    traced = ("yes" if one.sampled else "no", one.trace_id) if one.trace_id else (NOTHING, NOTHING)
    return (
        one.request, one.outcome, milliseconds(one.took_us / 1e3), waited, into_run((one.due_unix_us - t0_us) / 1e6),
        *(traced if has_traces else ()),
    )  # fmt: skip
