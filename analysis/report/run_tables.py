"""Tables of how the run was made: workers, events, evidence pulled, versions and fingerprint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.events import Event
from analysis.report.tables import Table, number, text
from analysis.report.wording import (
    NOTHING,
    count,
    duration,
    figure,
    into_run,
    milliseconds,
    plural,
    share,
    size,
    time_of_day,
)  # fmt: skip
from analysis.results import RunRecord
from scenarios.transport import careless, in_words
from slo.validity import Measurement, WorkerFacts

ROUTINE = ("phase_started", "run_created", "worker_drained")  # shown by other means


def workers_table(record: RunRecord, measurement: Measurement) -> Table:
    """How each worker fared over the run."""
    return Table(
        name="workers",
        title="golive's workers",
        columns=(
            text("Worker"), text("Fate"), number("Clock offset", "against golive's own clock"),
            number("Throttled", "share of time slices in which the operating system held it back"),
            number("Control timer P99", "how late an idle timer fires: the machine's own noise"),
            number("CPU", "processor cores used, on average"), number("Memory", "at most"), number("Last delta"),
        ),
        rows=tuple(_worker(facts, record) for facts in measurement.workers),
        note=f"{plural(measurement.workers_planned, 'worker')} planned. {_transport(record)}",
        empty="No worker reported anything.",
    )  # fmt: skip


def _transport(record: RunRecord) -> str:
    policy, said = in_words(record.plan.sending.connection), careless(record.plan.tls)
    return f"Connections: {policy}." + (f" TLS {said}." if said else "")


def _worker(facts: WorkerFacts, record: RunRecord) -> tuple[str, ...]:
    fate = "reported to the end" if facts.last_seq else "reported nothing"
    if facts.lost_at_unix_s is not None:
        fate = f"lost at {_into(record, facts.lost_at_unix_s)}: {facts.lost_because}"
    vitals = record.workers[record.workers["worker"] == facts.worker]
    return (
        str(facts.worker), fate, milliseconds(1000 * facts.clock_offset_s), share(facts.throttled_ratio),
        milliseconds(facts.control_timer_p99_us / 1000) if len(vitals) else NOTHING, _cores(vitals),
        size(float(vitals["rss_bytes"].max())) if len(vitals) else NOTHING, count(facts.last_seq),
    )  # fmt: skip


def _cores(vitals: pd.DataFrame) -> str:
    if len(vitals) < 2:
        return NOTHING
    ordered = vitals.sort_values("second")
    took_s = float(ordered["second"].iloc[-1] - ordered["second"].iloc[0])
    used_s = float(ordered["cpu_s"].iloc[-1] - ordered["cpu_s"].iloc[0])
    return f"{figure(used_s / took_s)} cores" if took_s > 0 else NOTHING


def events_table(record: RunRecord) -> Table:
    """What happened, in order; routine is left out."""
    told = [event for event in record.events if event.kind not in ROUTINE]
    return Table(
        name="events",
        title="What happened",
        columns=(number("Into the run"), text("UTC"), text("Event"), text("Details")),
        rows=tuple(_event(record, event) for event in told),
        empty="The record holds no event.",
    )


def _event(record: RunRecord, event: Event) -> tuple[str, ...]:
    what = event.kind.replace("_", " ")
    return _into(record, event.at_unix_s), time_of_day(event.at_unix_s), what, _details(event)


def _details(event: Event) -> str:
    return ", ".join(_detail(name, value) for name, value in event.fields.items())


def _detail(name: str, value: object) -> str:
    """A field in words; its unit stands at the end of its name."""
    if isinstance(value, Mapping):
        return ", ".join(_detail(inner, of) for inner, of in value.items())
    if not isinstance(value, int | float) or isinstance(value, bool):
        return f"{name.replace('_', ' ')} {value}"
    for suffix, words in (("_unix_s", time_of_day), ("_s", lambda time_s: milliseconds(1000 * time_s))):
        if name.endswith(suffix):
            return f"{name.removesuffix(suffix).replace('_', ' ')} {words(value)}"
    return f"{name.replace('_', ' ')} {figure(value)}"


def _into(record: RunRecord, at_unix_s: float) -> str:
    t0_unix_s = record.header.t0_unix_s
    return NOTHING if t0_unix_s is None else into_run(at_unix_s - t0_unix_s)


def evidence_table(folder: Path) -> Table:
    """Every series that was pulled, with its query, server and window."""
    return Table(
        name="evidence",
        title="Evidence pulled from Prometheus",
        columns=(text("Evidence"), text("What came"), text("Query"), text("Server"), text("Window (UTC)")),
        rows=tuple(_answer(path) for path in sorted((folder / "evidence").glob("*.json"))),
        note="Each is kept in the run's folder as evidence/NAME.json, and judging again reads only these.",
        empty="Nothing was pulled: what only Prometheus could prove is unproven.",
    )


def _answer(path: Path) -> tuple[str, ...]:
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
        start_unix_s, end_unix_s = float(answer["start_unix_s"]), float(answer["end_unix_s"])
        query, server = str(answer["query"]), str(answer["server"])
        came = str(answer.get("error") or "") or plural(len(answer["result"]), "series", "series")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as damage:
        return (path.stem, f"cannot be read: {damage}", NOTHING, NOTHING, NOTHING)
    window = f"{time_of_day(start_unix_s)}, {duration(end_unix_s - start_unix_s)}"
    return (path.stem, came, query or NOTHING, server or NOTHING, window)


def versions_table(record: RunRecord, *, has_cluster: bool = False) -> Table:
    """With what it was done, and what it was done to. has_cluster: the fingerprint has a table of its own."""
    header = record.header
    plain = {name: value for name, value in header.fingerprint.items() if isinstance(value, str)}
    fingerprint = plain if has_cluster else header.fingerprint
    parts = {"versions": header.versions, "machine": header.machine, "fingerprint": fingerprint}
    rows = [(part, name, value) for part, known in parts.items() for name, value in _flat(known)]
    return Table(
        name="versions",
        title="Fingerprint and versions",
        columns=(text("Of"), text("What"), text("Value")),
        rows=tuple(rows),
        empty="The record names no versions.",
    )


def _flat(known: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in known.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, str(value) if value not in ("", None) else "not known"
