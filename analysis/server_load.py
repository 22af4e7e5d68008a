"""What the platform's own metrics say of the hold: requests, errors and durations, as increases of its counters."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from analysis.counters import Growth, Instants, growth_of
from analysis.evidence_files import Pulled, read_answer
from analysis.hold import Hold
from analysis.results import RunRecord
from analysis.scrapes import SETTLED_AFTER_S, scrape_instants, was_scraped_after
from slo.evidence import ClientLoad, NotSeen, ServerLoad, Window

CERTAINLY_SEEN = 100  # so many answered requests cannot be missing from the counters of what answered them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counters:
    """The growth of every series of one answer, each through its own resets."""

    growths: tuple[Growth, ...]

    def between(self, window: Window) -> float:
        return sum(growth.between(window.start_unix_s, window.end_unix_s) for growth in self.growths)


def server_load(record: RunRecord, hold: Hold, client: ClientLoad | NotSeen) -> ServerLoad | NotSeen:
    """The platform's own counts over the hold; NotSeen when Prometheus did not see the platform that was driven."""
    evidence = record.folder / "evidence"
    requests, errors = read_answer(evidence, "requests"), read_answer(evidence, "errors")
    if isinstance(requests, NotSeen):
        return requests
    if isinstance(errors, NotSeen):
        return NotSeen(f"the platform's errors: {errors.because}")
    instants = scrape_instants(evidence)
    counted = _counters(requests, instants)
    window = _counted_window(record, hold, instants)
    if not requests.series:
        return NotSeen(f"{requests.asked.server} knows no series for {requests.asked.query}: it watches something else")
    load_requests = _over_the_load(record, hold, instants, counted)
    answered = 0 if isinstance(client, NotSeen) else int(client.ok.sum())
    if load_requests is None and counted.between(window) <= 0 and answered >= CERTAINLY_SEEN:
        return NotSeen(f"{requests.source} did not grow in the hold while {answered:,} requests were answered")
    return ServerLoad(
        source=f"{requests.source}, increase over the hold",
        requests=counted.between(window),
        errors=_counters(errors, instants).between(window),
        buckets=_buckets(read_answer(evidence, "duration_buckets"), instants, window),
        load_requests=load_requests,
    )


def _counters(answer: Pulled, instants: Instants) -> _Counters:
    step_s = answer.asked.step_s or 1.0
    return _Counters(growths=tuple(growth_of(series, instants, step_s) for series in answer.series))


def _buckets(answer: Pulled | NotSeen, instants: Instants, window: Window) -> tuple[tuple[float, float], ...]:
    """Cumulative counts by upper bound in seconds; () when there is no usable histogram."""
    if isinstance(answer, NotSeen):
        return ()
    by_bound: defaultdict[float, float] = defaultdict(float)
    for series in answer.series:
        bound = float(series.labels.get("le", "nan"))
        by_bound[bound] += growth_of(series, instants, answer.asked.step_s or 1.0).between(
            window.start_unix_s, window.end_unix_s
        )
    bounds = sorted(bound for bound in by_bound if not math.isnan(bound))
    if not bounds or not math.isinf(bounds[-1]):
        return ()
    counts, reached = [], 0.0
    for bound in bounds:  # interpolation may leave a hair's breadth of disorder between two bounds
        reached = max(reached, by_bound[bound])
        counts.append((bound, reached))
    return tuple(counts)


def _counted_window(record: RunRecord, hold: Hold, instants: Instants) -> Window:
    """Where the hold's requests are in the platform's counters.

    Interpolating between two scrapes is right where the load goes on on both sides. Where it begins or ends, all that
    lies between the two belongs to the load: then the window reaches to the scrape before, or past the last answer.
    """
    window, began_unix_s = hold.window, record.header.t0_unix_s or 0.0
    from_rest = window.start_unix_s <= began_unix_s
    to_rest = window.end_unix_s >= math.floor(hold.load_end_unix_s)
    before_unix_s = _scrape_before(began_unix_s, instants) if from_rest else None
    return Window(
        start_unix_s=window.start_unix_s if before_unix_s is None else before_unix_s,
        end_unix_s=_all_answered_unix_s(record, hold) if to_rest else window.end_unix_s,
    )


def _over_the_load(record: RunRecord, hold: Hold, instants: Instants, counted: _Counters) -> float | None:
    """The increase from the last scrape before the load to past its last answer, when both were seen."""
    before_unix_s = _scrape_before(record.header.t0_unix_s or 0.0, instants)
    if before_unix_s is None or not was_scraped_after(instants, hold.load_end_unix_s + SETTLED_AFTER_S):
        return None
    return counted.between(Window(start_unix_s=before_unix_s, end_unix_s=_all_answered_unix_s(record, hold)))


def _scrape_before(at_unix_s: float, instants: Instants) -> float | None:
    earlier = instants[instants <= at_unix_s]
    return float(earlier[-1]) if len(earlier) else None


def _all_answered_unix_s(record: RunRecord, hold: Hold) -> float:
    return hold.load_end_unix_s + record.plan.workload.longest_timeout_s + SETTLED_AFTER_S
