"""A run read back from its folder (docs/record.md): whole, half-written, killed or damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.driven import driven_plan
from analysis.events import Event
from analysis.json_lines import read_json_lines
from analysis.latency_log import LatencyLog, read_latency_log
from analysis.second_counts import read_counts
from scenarios.closed_plan import with_seen_requests
from scenarios.errors import HarnessError, RecordUnreadable
from scenarios.files import read_plan_json
from scenarios.plan import Plan
from scenarios.target import TargetClass

NEWEST_FORMAT = 1
SECONDS, LATENCIES, WORKERS = "seconds.jsonl", "load.hlog", "workers.jsonl"  # the files that grow each second


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """`run.json`. What a killed run never wrote there is filled in from its events where they know it."""

    run_id: str
    plan_name: str
    target_name: str
    target_url: str
    target_class: TargetClass
    rehearsal: bool
    workers: int
    golive_version: str
    created_unix_s: float
    t0_unix_s: float | None  # start of the rate line; None when no load began
    load_end_unix_s: float | None  # None when the record does not know it
    watched_until_unix_s: float | None
    prometheus_url: str  # "" for none
    ended: str  # "running" for a run that is on, or was killed
    ended_because: str
    versions: Mapping[str, str]
    machine: Mapping[str, Any]
    fingerprint: Mapping[str, Any]
    command: str = ""  # that asks for this run again; older records, and runs on a cluster, have none


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunRecord:
    """Everything a run wrote down.

    counts: second, request, worker, seq, due, sent, ok, unavailable, unsent, sent_bytes, received_bytes, failed;
        a row a line of seconds.jsonl, each delta once. failures: second, request, kind, count.
    objectives_of: whose objectives are judged: a file's, or "" for the plan's own.
    workers, master: the lines of workers.jsonl and master.jsonl; addresses: those of addresses.jsonl, each delta once.
    gaps: what is missing or cannot be read, each in words.
    """

    folder: Path
    header: RunHeader
    plan: Plan
    events: tuple[Event, ...]
    counts: pd.DataFrame
    failures: pd.DataFrame
    latency: LatencyLog
    workers: pd.DataFrame
    addresses: pd.DataFrame
    master: pd.DataFrame
    gaps: tuple[str, ...]
    objectives_of: str = ""

    def happened(self, kind: str) -> tuple[Event, ...]:
        """The events of one kind, in order."""
        return tuple(event for event in self.events if event.kind == kind)


WORKER_COLUMNS = (
    "second", "worker", "in_flight", "control_timer_us", "cpu_s", "rss_bytes", "open_fds", "periods",
    "throttled_periods",
)  # fmt: skip
MASTER_COLUMNS = ("second", "rss_bytes", "open_fds")
ADDRESS_COLUMNS = ("second", "worker", "seq", "address", "requests")


def read_record(folder: Path, *, since: Mapping[str, int] | None = None) -> RunRecord:
    """Read a run back; of files named in `since` only what stands after so many bytes.

    Raises RecordUnreadable when there is no run here or a newer golive wrote it. A torn line, a missing file or a
    damaged histogram does not raise: it is named in `gaps`.
    """
    raw = _run_json(folder)
    plan = _plan(folder)
    lines, event_gaps = read_json_lines(folder / "events.jsonl")
    events = tuple(_event(line) for line in lines if _is_event(line))
    if len(events) < len(lines):
        event_gaps += (f"events.jsonl: {len(lines) - len(events)} lines are no event and were left out",)
    start = since or {}
    counts, failures, count_gaps = read_counts(folder / SECONDS, start.get(SECONDS, 0))
    latency, latency_gaps = read_latency_log(folder / LATENCIES, start.get(LATENCIES, 0))
    workers, worker_gaps = read_json_lines(folder / WORKERS, start.get(WORKERS, 0))
    addresses, address_gaps = _addresses(folder / "addresses.jsonl")
    master, master_gaps = _lines_of(folder / "master.jsonl")
    return RunRecord(
        folder=folder,
        header=_header(raw, events),
        plan=with_seen_requests(driven_plan(plan, events), map(str, counts["request"].unique())),
        events=events,
        counts=counts,
        failures=failures,
        latency=latency,
        workers=pd.DataFrame(workers, columns=list(WORKER_COLUMNS)).fillna(0),
        addresses=addresses,
        master=pd.DataFrame(master, columns=list(MASTER_COLUMNS)).fillna(0),
        gaps=event_gaps + count_gaps + latency_gaps + worker_gaps + address_gaps + master_gaps,
    )


def _addresses(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    lines, gaps = _lines_of(path)
    whole = [line for line in lines if line.keys() >= set(ADDRESS_COLUMNS)]
    if len(whole) < len(lines):
        gaps += (f"{path.name}: {len(lines) - len(whole)} lines tell of no address and were left out",)
    table = pd.DataFrame(whole, columns=list(ADDRESS_COLUMNS))
    return table.drop_duplicates(["worker", "seq", "address"]).astype({"requests": "float64"}), gaps


def _lines_of(path: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Older records have no such file."""
    return read_json_lines(path) if path.exists() else ([], ())


def _run_json(folder: Path) -> Mapping[str, Any]:
    path = folder / "run.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        written_as = raw["format"]
    except OSError as problem:
        raise RecordUnreadable(
            f"{folder} holds no run: {path.name} cannot be opened ({problem.strerror}).",
            remedy="Name the folder of a run: results/<run-id>.",
        ) from None
    except (ValueError, KeyError, TypeError) as problem:
        raise RecordUnreadable(
            f"{path} is not a run's header: {problem}.",
            remedy="Take the folder from a backup: golive writes this file whole, so something else changed it.",
        ) from None
    if not isinstance(written_as, int) or written_as > NEWEST_FORMAT:
        raise RecordUnreadable(
            f"{path} has format {written_as!r}; this golive reads up to {NEWEST_FORMAT}.",
            remedy="Read it with the golive that wrote it, or a newer one.",
        )
    return raw  # type: ignore[no-any-return]


def _plan(folder: Path) -> Plan:
    path = folder / "plan.json"
    try:
        return read_plan_json(path)
    except (OSError, HarnessError, ValueError, TypeError, KeyError) as problem:
        what = problem.problem if isinstance(problem, HarnessError) else str(problem)
        raise RecordUnreadable(
            f"{path} cannot be read back as a plan: {what}",
            remedy="Take the folder from a backup: without its plan nobody knows what the run was to prove.",
        ) from None


def _is_event(line: Mapping[str, Any]) -> bool:
    return type(line.get("at_unix_s")) in (int, float) and isinstance(line.get("event"), str)


def _event(line: Mapping[str, Any]) -> Event:
    fields = {name: value for name, value in line.items() if name not in ("at_unix_s", "event")}
    return Event(at_unix_s=float(line["at_unix_s"]), kind=line["event"], fields=fields)


def _header(raw: Mapping[str, Any], events: tuple[Event, ...]) -> RunHeader:
    try:
        return _header_of(raw, _known_times(raw, events))
    except (KeyError, TypeError, ValueError) as problem:
        raise RecordUnreadable(
            f"run.json lacks {problem} or has something else in its place.",
            remedy="Take the folder from a backup: golive writes this file whole, so something else changed it.",
        ) from None


def _header_of(raw: Mapping[str, Any], times: Mapping[str, float | None]) -> RunHeader:
    target = raw["target"]
    return RunHeader(
        run_id=str(raw["run_id"]),
        plan_name=str(raw["plan"]),
        target_name=str(target["name"]),
        target_url=str(target["url"]),
        target_class=TargetClass(target["class"]),
        rehearsal=bool(raw["rehearsal"]),
        workers=int(raw["workers"]),
        golive_version=str(raw["golive_version"]),
        created_unix_s=float(raw["created_unix_s"]),
        t0_unix_s=times["t0_unix_s"],
        load_end_unix_s=times["load_end_unix_s"],
        watched_until_unix_s=times["watched_until_unix_s"],
        prometheus_url=str(raw.get("prometheus_url") or ""),
        ended=str(raw["ended"]),
        ended_because=str(raw.get("ended_because") or ""),
        versions=dict(raw.get("versions") or {}),
        machine=dict(raw.get("machine") or {}),
        fingerprint=dict(raw.get("fingerprint") or {}),
        command=str(raw.get("command") or ""),
    )


def _known_times(raw: Mapping[str, Any], events: tuple[Event, ...]) -> dict[str, float | None]:
    """The run's instants: by its header, or else (killed before it was closed) by its events."""
    known: dict[str, float | None] = {"t0_unix_s": None, "load_end_unix_s": None, "watched_until_unix_s": None}
    for event in events:
        if event.kind == "load_started":
            known["t0_unix_s"] = float(event.fields["t0_unix_s"])
        elif event.kind == "load_ended":
            known["load_end_unix_s"] = event.at_unix_s
        elif event.kind in ("watch_ended", "closed"):
            known["watched_until_unix_s"] = event.at_unix_s
    return {name: value if raw.get(name) is None else float(raw[name]) for name, value in known.items()}
