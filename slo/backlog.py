"""Backlog: accepted is not done. Queues do not grow over the hold and are worked off soon after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from slo.answer import Answer, unproven
from slo.evidence import BacklogSeries, Evidence, NotSeen
from slo.objective import Backlog
from slo.verdict import Outcome
from slo.words import asked, instant, number

Floats = NDArray[np.float64]

# A queue in a steady state wanders; growth counts when the robust trend over the hold adds more than that, and more
# than a floor below which a backlog is what lies between two scrapes.
FLOOR = 100.0
MOST_POINTS = 300  # Theil–Sen looks at every pair
LEFT_OVER = 10.0  # commands that count as none


def judge_backlog(objective: Backlog, evidence: Evidence) -> Answer:
    """All queues must be steady over the hold and back where they were before the limit has passed."""
    target = f"no growth over the hold; worked off within {asked(objective.worked_off_within_s)} s"
    series = evidence.backlogs
    if isinstance(series, NotSeen):
        return unproven(target, series.because)
    if not series:
        return unproven(target, "the platform shows no queue")
    answers = [_queue(queue, objective, evidence) for queue in series]
    for wanted in (Outcome.MISSED, Outcome.UNPROVEN, Outcome.MET):
        words = [words for outcome, words in answers if outcome is wanted]
        if words:
            peak = max(float(queue.depth.max(initial=0.0)) for queue in series)
            return Answer(
                outcome=wanted, because="; ".join(words), target=target, measured=f"at most {number(peak)} waiting",
                interval="exact count", source=series[0].source,
            )  # fmt: skip
    return unproven(target, "no queue could be judged")


def _queue(queue: BacklogSeries, objective: Backlog, evidence: Evidence) -> tuple[Outcome, str]:
    hold = evidence.hold
    held = (queue.at_unix_s >= hold.start_unix_s) & (queue.at_unix_s < hold.end_unix_s)
    if held.sum() < 5:
        return Outcome.UNPROVEN, f"{queue.queue}: only {held.sum()} samples in the hold"
    grew = growth(queue.at_unix_s[held], queue.depth[held])
    if grew > _noise(queue.depth[held]) and not _came_down_again(queue.depth[held]):
        ended = queue.depth[held][-1]
        return Outcome.MISSED, f"{queue.queue} grew by about {number(grew)} over the hold, to {number(ended)}"
    return _worked_off(queue, objective, evidence)


def growth(at_s: Floats, depth: Floats) -> float:
    """What the trend adds over the whole stretch: the Theil–Sen slope times its length (Sen 1968)."""
    step = max(len(at_s) // MOST_POINTS, 1)
    slope = theilslopes(depth[::step], at_s[::step])[0]
    return float(slope * (at_s[-1] - at_s[0]))


def _noise(depth: Floats) -> float:
    """Twice the spread (median absolute deviation of the steps), and at least the floor."""
    steps = np.abs(np.diff(depth))
    return max(FLOOR, 2 * float(np.median(steps)) * 1.4826)


def _came_down_again(depth: Floats) -> bool:
    """Whether it had been as high as it last was, and was worked off since: it is emptied in batches.

    The trend over a few teeth of a saw depends on where in a tooth the hold begins and ends.
    """
    low = int(np.flatnonzero(depth <= depth.min() + _noise(depth))[-1])
    return low > 0 and bool(depth[:low].max() >= depth[low:].max())


def _worked_off(queue: BacklogSeries, objective: Backlog, evidence: Evidence) -> tuple[Outcome, str]:
    before = queue.at_unix_s < evidence.hold.start_unix_s
    level = max(float(np.median(queue.depth[before][:5])) if before.any() else 0.0, LEFT_OVER)
    after = queue.at_unix_s >= evidence.load_end_unix_s
    done = after & (queue.depth <= level)
    if done.any():
        took_s = max(float(queue.at_unix_s[done][0]) - evidence.load_end_unix_s, 0.0)
        words = f"{queue.queue}: steady, worked off {took_s:.0f} s after the load"
        return (Outcome.MET if took_s <= objective.worked_off_within_s else Outcome.MISSED), words
    watched_s = evidence.watched_until_unix_s - evidence.load_end_unix_s
    if not after.any() or watched_s < objective.worked_off_within_s:
        return Outcome.UNPROVEN, f"{queue.queue}: watched for only {max(watched_s, 0):.0f} s after the load"
    last = queue.depth[after][-1]
    return Outcome.MISSED, f"{queue.queue}: {number(last)} still waiting at {instant(queue.at_unix_s[after][-1])}"
