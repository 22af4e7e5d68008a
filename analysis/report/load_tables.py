"""Tables of what was sent: per request, failures by kind, and what the writes leave behind."""

from __future__ import annotations

import pandas as pd

from analysis.report.load_words import phase_rates
from analysis.report.meanings import UNSENT
from analysis.report.tables import Table, number, text
from analysis.report.wording import NOTHING, count, duration, into_run, milliseconds, share
from analysis.report.worst_window import quantile_ms
from analysis.results import RunRecord
from scenarios.failure_kinds import meaning_of
from slo.evidence import Window

QUANTILES = ((0.50, "P50"), (0.95, "P95"), (0.99, "P99"), (1.0, "Max"))


def requests_table(record: RunRecord, hold: Window) -> Table:
    """Every kind of request over the hold (over the whole load when there was no hold)."""
    seconds, stretch = stretch_told(record, hold)
    counts = record.counts[record.counts["second"].isin(seconds)]
    repeated, untimed = int(counts["repeated"].sum()), int(counts["untimed"].sum())
    added = counts.groupby("request")[["due", "sent", "ok", "failed", "unsent"]].sum()
    planned = [request.name for request in record.plan.workload.kinds]
    names = planned + [str(name) for name in added.index if name not in planned]
    added = added.reindex(names, fill_value=0)
    added.loc[""] = added.sum()
    return Table(
        name="requests",
        title="Each kind of request",
        columns=(
            text("Request"), number("Sent"), number("OK", "answered as expected, in time"), number("Failed"),
            number("Unsent", UNSENT), *(number(title) for _, title in QUANTILES),
        ),
        rows=tuple((name, *_counts(added, name), *times_told(record, [name], seconds)) for name in names),
        total=("All", *_counts(added, ""), *times_told(record, names, seconds)) if names else (),
        note=f"{stretch} Latency is that of requests answered as expected, from the instant each was due."
        f"{_sent_twice(repeated)}{_untimed(untimed)}",
        empty="No request was sent.",
    )  # fmt: skip


def stretch_told(record: RunRecord, hold: Window) -> tuple[range, str]:
    """The seconds that tables are over, and the sentence that says so."""
    seconds = range(int(hold.start_unix_s), int(hold.end_unix_s))
    if record.counts.empty:
        return seconds, "No load was driven."
    if len(seconds):
        return seconds, f"Over the hold of {duration(len(seconds))}."
    seen = record.counts["second"]
    return range(int(seen.min()), int(seen.max()) + 1), "Over the whole load: the hold was never reached."


def _sent_twice(repeated: int) -> str:
    if not repeated:
        return ""
    kept = "each time the target had ended a kept connection before any byte of an answer"
    return f" {count(repeated)} of these were sent a second time and count once: {kept}."


def _untimed(untimed: int) -> str:
    if not untimed:
        return ""
    return f" {count(untimed)} had no response time in their Locust event: they count as answered, in no latency."


def _counts(added: pd.DataFrame, request: str) -> tuple[str, ...]:
    return tuple(count(added[column][request]) for column in ("sent", "ok", "failed", "unsent"))


def times_told(record: RunRecord, tags: list[str], seconds: range) -> tuple[str, ...]:
    """P50, P95, P99 and the longest of what stands under these tags."""
    table = record.latency.spread(tags, seconds)
    return tuple(milliseconds(quantile_ms(table.values_us, table.counts[0], ratio)) for ratio, _ in QUANTILES)


def failures_table(record: RunRecord, hold: Window) -> Table:
    """Failures by kind, inside the hold and outside it."""
    seconds = range(int(hold.start_unix_s), int(hold.end_unix_s))
    inside = record.failures[record.failures["second"].isin(seconds)]
    outside = record.failures[~record.failures["second"].isin(seconds)]
    by_kind = pd.DataFrame({"in": inside.groupby("kind")["count"].sum(), "out": outside.groupby("kind")["count"].sum()})
    by_kind = by_kind.fillna(0).sort_values(["in", "out"], ascending=False)
    sent = int(record.counts.loc[record.counts["second"].isin(seconds), "sent"].sum())
    rows = [
        (str(kind), count(row["in"]), _of(row["in"], sent), count(row["out"]), meaning_of(str(kind)))
        for kind, row in by_kind.iterrows()
    ]
    return Table(
        name="failures",
        title="Failures by kind",
        columns=(text("Kind"), number("In the hold"), number("Of sent there"), number("Before and after"),
                 text("What it means")),
        rows=(*rows, *_unsent(record, seconds)),
        empty="No request was sent."
        if not record.counts["sent"].sum()
        else "Every request that was sent was answered as expected.",
    )  # fmt: skip


def _unsent(record: RunRecord, seconds: range) -> tuple[tuple[str, ...], ...]:
    inside = record.counts["second"].isin(seconds)
    within, outside = (int(record.counts.loc[where, "unsent"].sum()) for where in (inside, ~inside))
    return (("unsent", count(within), NOTHING, count(outside), UNSENT),) if within or outside else ()


def _of(part: float, whole: int) -> str:
    return share(part / whole) if whole else NOTHING


def writes_table(record: RunRecord) -> Table:
    """What the run left behind in the target: accepted writes, and those whose fate is unknown."""
    names = [request.name for request in record.plan.workload.kinds if request.writes]
    added = record.counts[record.counts["request"].isin(names)].groupby("request")[["ok", "failed"]].sum()
    added = added.reindex(names, fill_value=0)
    rows = tuple((name, count(added["ok"][name]), count(added["failed"][name])) for name in names)
    return Table(
        name="writes",
        title="What the writes leave behind",
        columns=(text("Request"), number("Accepted"), number("Failed", "some may have taken effect all the same")),
        rows=rows,
        total=("All", count(added["ok"].sum()), count(added["failed"].sum())) if rows else (),
        note="Over the whole load, warm-up included. A failed write may have taken effect all the same.",
        empty="No request of this workload is marked as one that writes: nothing is left behind.",
    )


def phases_table(record: RunRecord) -> Table:
    """The rate line, phase by phase."""
    profile = record.plan.profile
    rows = [
        (phase.name, into_run(start_s), duration(phase.duration_s), phase_rates(phase),
         "judged" if phase.judged else "driven, not judged")
        for phase, start_s in zip(profile.phases, profile.starts_s(), strict=True)
    ]  # fmt: skip
    return Table(
        name="phases",
        title="The plan's phases",
        columns=(text("Phase"), number("From"), number("Lasts"), number("Requests/s"), text("Judged")),
        rows=tuple(rows),
        empty="The plan has no phase.",
    )
