"""The stretch of a run that is judged, and what the plan had due in it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.results import RunRecord
from scenarios.profile import Profile
from slo.evidence import Counts, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """The judged phases, on whole seconds, as far as the load went.

    A judged phase that begins or ends within a second gives that second away. Without a load it is empty.
    """

    window: Window
    load_end_unix_s: float
    complete: bool  # the load went on to the end of the last judged phase

    @property
    def seconds(self) -> range:
        """The unix seconds in it."""
        return range(int(self.window.start_unix_s), int(self.window.end_unix_s))


def hold_of(record: RunRecord) -> Hold:
    """From the start of the first judged phase to the end of the last, cut where the load ended."""
    began_unix_s = record.header.t0_unix_s
    start_s, end_s = _judged(record.plan.profile)
    if began_unix_s is None:
        at_unix_s = float(math.ceil(record.header.created_unix_s))
        return Hold(window=Window(start_unix_s=at_unix_s, end_unix_s=at_unix_s), load_end_unix_s=at_unix_s,
                    complete=False)  # fmt: skip
    load_end_unix_s = _load_end_unix_s(record, began_unix_s)
    start_unix_s = math.ceil(began_unix_s + start_s)
    planned_end_unix_s = math.floor(began_unix_s + end_s)
    end_unix_s = max(start_unix_s, min(planned_end_unix_s, math.floor(load_end_unix_s)))
    return Hold(
        window=Window(start_unix_s=float(start_unix_s), end_unix_s=float(end_unix_s)),
        load_end_unix_s=load_end_unix_s,
        complete=planned_end_unix_s == end_unix_s > start_unix_s,
    )


def due_per_second(record: RunRecord) -> tuple[Counts, str]:
    """How many requests were due in each second after the start, and in words what is odd about knowing it.

    What the plan alone knows (single requests, first steps of flows) the run writes down from the engine's own schedule
    (`due.json`). What follows is due by the answers, and counted by the workers. Without that file it is the integral
    of the rate line, which counts all of them.
    """
    seconds = math.ceil(record.plan.profile.duration_s)
    if record.plan.closed:
        return _due_to(record, seconds, record.counts), ""  # nothing is due but what was sent
    try:
        rows = json.loads((record.folder / "due.json").read_text(encoding="utf-8"))["seconds"]
        written = np.array([sum(row) for row in rows], dtype=np.int64)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        missing = isinstance(problem, FileNotFoundError)
        by_rate_line = constant_arrivals(record.plan.profile, seconds)
        if missing and record.plan.sending.arrivals == "constant":
            return by_rate_line, ""
        what = "is missing" if missing else "cannot be read"
        return by_rate_line, f"due.json {what}: what was due is taken from the rate line"
    planned = np.concatenate((written, np.zeros(seconds, np.int64)))[:seconds]
    return planned + _followed(record, seconds), ""


def _followed(record: RunRecord, seconds: int) -> Counts:
    """The steps of flows that were due because the step before them was answered."""
    followers = record.plan.workload.followers
    return _due_to(record, seconds, record.counts[record.counts["request"].isin(followers)])


def _due_to(record: RunRecord, seconds: int, counts: pd.DataFrame) -> Counts:
    began = record.header.t0_unix_s
    if began is None or counts.empty:
        return np.zeros(seconds, dtype=np.int64)
    due = counts.groupby("second")["due"].sum()
    return due.reindex(range(int(began), int(began) + seconds), fill_value=0).to_numpy(dtype=np.int64)


def constant_arrivals(profile: Profile, seconds: int) -> Counts:
    """Arrivals of each second when arrival k is due where the rate line's integral reaches k + 0.5."""
    reached = [math.ceil(profile.arrivals_by(float(second)) - 0.5) for second in range(seconds + 1)]
    return np.array([later - before for before, later in pairwise(reached)], dtype=np.int64)


def _judged(profile: Profile) -> tuple[float, float]:
    spans = [
        (start_s, start_s + phase.duration_s)
        for start_s, phase in zip(profile.starts_s(), profile.phases, strict=True)
        if phase.judged
    ]
    return (spans[0][0], spans[-1][1]) if spans else (profile.duration_s, profile.duration_s)


def _load_end_unix_s(record: RunRecord, began_unix_s: float) -> float:
    """When the load ended; by the last second anybody reported of when nobody wrote it down."""
    if record.header.load_end_unix_s is not None:
        return record.header.load_end_unix_s
    return began_unix_s if record.counts.empty else float(record.counts["second"].max() + 1)
