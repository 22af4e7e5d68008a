"""Recovery: after a spike the promises hold again, and stay held; how soon, from its end and from its onset."""

from __future__ import annotations

import math
from dataclasses import dataclass

from slo.answer import Answer, unproven
from slo.evidence import Evidence, NotSeen, SpikeSeen
from slo.latency import ms_limit
from slo.objective import Recovery
from slo.promises import Promise, PromiseWindow, promise_windows
from slo.sample_size import needed_in_window
from slo.verdict import Outcome
from slo.words import asked, instant, ms, number, percent


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recovered:
    """How the promises fared from a spike's onset to the end of its watch.

    soonest_unix_s, back_unix_s: the end of the last window in which they were broken, and of the last that does not
        show them kept; the onset when there was none. back_unix_s is None when the last window does not show it.
    """

    spike: SpikeSeen
    before: tuple[PromiseWindow, ...]
    windows: tuple[PromiseWindow, ...]
    soonest_unix_s: float
    back_unix_s: float | None

    @property
    def broken(self) -> tuple[PromiseWindow, ...]:
        """The windows in which a promise was broken."""
        return tuple(one for one in self.windows if one.promise is Promise.BROKEN)

    @property
    def ended_broken(self) -> bool:
        """Whether the last window that was watched was a broken one."""
        return bool(self.windows) and self.windows[-1].promise is Promise.BROKEN

    def since_unix_s(self, objective: Recovery) -> float:
        """The instant from which the objective counts."""
        return self.spike.window.end_unix_s if objective.since == "spike-end" else self.spike.window.start_unix_s

    def soonest_s(self, objective: Recovery) -> float:
        """How long they were broken for certain, from that instant."""
        return max(self.soonest_unix_s - self.since_unix_s(objective), 0.0)

    def back_s(self, objective: Recovery) -> float:
        """How long until they held again and stayed held, from that instant; infinity when that was not seen."""
        return self.back_after_s(self.since_unix_s(objective))

    def back_after_s(self, since_unix_s: float) -> float:
        """The same from any instant."""
        return math.inf if self.back_unix_s is None else max(self.back_unix_s - since_unix_s, 0.0)

    def held_s(self, objective: Recovery) -> float:
        """For how long they then stayed held, to the end of the watch."""
        if self.back_unix_s is None:
            return 0.0
        return self.spike.until_unix_s - max(self.back_unix_s, self.since_unix_s(objective))


def recovered(objective: Recovery, spike: SpikeSeen) -> Recovered:
    """Find from when on the promises held."""
    every = promise_windows(objective, spike)
    onset_unix_s = spike.window.start_unix_s
    windows = tuple(one for one in every if one.start_unix_s >= onset_unix_s)
    unkept = [one for one in windows if one.promise is not Promise.KEPT]
    broken = [one for one in unkept if one.promise is Promise.BROKEN]
    is_back = bool(windows) and windows[-1].promise is Promise.KEPT
    return Recovered(
        spike=spike,
        before=tuple(one for one in every if one.start_unix_s < onset_unix_s),
        windows=windows,
        soonest_unix_s=broken[-1].end_unix_s if broken else onset_unix_s,
        back_unix_s=(unkept[-1].end_unix_s if unkept else onset_unix_s) if is_back else None,
    )


def judge_recovery(objective: Recovery, evidence: Evidence) -> Answer:
    """The worst spike decides. What was not watched for long enough, or by too few requests, is unproven."""
    target = f"back ≤ {asked(objective.within_s)} s after {_since(objective)}"
    spikes = evidence.spikes
    if isinstance(spikes, NotSeen):
        return unproven(target, spikes.because)
    if not spikes:
        return unproven(target, "the rate line has no spike: it never rises above half of its peak and comes back")
    answers = [
        (one, outcome, _named(place, len(spikes)) + words)
        for place, one in enumerate((recovered(objective, spike) for spike in spikes), start=1)
        for outcome, words in (_outcome(objective, one),)
    ]
    for wanted in (Outcome.MISSED, Outcome.UNPROVEN, Outcome.MET):
        told = [(one, words) for one, outcome, words in answers if outcome is wanted]
        if told:
            break
    slowest = max((one for one, _ in told), key=lambda one: one.back_s(objective))
    return Answer(
        outcome=wanted,
        because="; ".join(words for _, words in told),
        target=target,
        measured=_measured(objective, slowest),
        interval=f"windows of {objective.window_s} s",
        source=_source(slowest.spike),
        server_side="not asked: too coarse for such windows",
    )


def _outcome(objective: Recovery, seen: Recovered) -> tuple[Outcome, str]:
    watched_s = seen.spike.until_unix_s - seen.spike.window.end_unix_s
    if isinstance(seen.spike.client, NotSeen):
        return Outcome.UNPROVEN, seen.spike.client.because
    if watched_s <= 0:
        return Outcome.UNPROVEN, "no load was driven after the spike: nothing shows whether the platform came back"
    if seen.ended_broken:
        return _not_back(objective, seen)
    soonest_s, back_s = seen.soonest_s(objective), seen.back_s(objective)
    if soonest_s > objective.within_s:
        return Outcome.MISSED, f"{_course(objective, seen)}. {_worst(objective, seen)}"
    if back_s > objective.within_s:
        few = sum(one.promise is Promise.TOO_FEW for one in seen.windows)
        needed = needed_in_window(objective)
        return Outcome.UNPROVEN, (
            f"{few} of {len(seen.windows)} windows of {objective.window_s} s had under {needed} requests and prove "
            f"nothing: a longer `window_s`, or more load after the spike, would decide; {_course(objective, seen)}"
        )
    if seen.held_s(objective) < objective.held_for_s:
        held = f"{seen.held_s(objective):.0f} s"
        return Outcome.UNPROVEN, (
            f"held again for only {held} when the watch ended, and {objective.held_for_s:g} s are needed: "
            f"{_course(objective, seen)}"
        )
    return Outcome.MET, _course(objective, seen)


def _not_back(objective: Recovery, seen: Recovered) -> tuple[Outcome, str]:
    """Broken to the end of the watch: missed, unless the watch was shorter than what the platform was given."""
    watched_s = seen.spike.until_unix_s - seen.since_unix_s(objective)
    words = f"not back within {watched_s:.0f} s of observation after {_since(objective)}"
    told = f"{_broken(objective, seen)}{_already(seen)}. {_worst(objective, seen)}"
    if watched_s < objective.within_s:
        return Outcome.UNPROVEN, f"{words}, and {objective.within_s:g} s were given: {told}"
    return Outcome.MISSED, f"{words}: {told}"


def _course(objective: Recovery, seen: Recovered) -> str:
    """How it went, in a sentence."""
    if not seen.broken:
        kept = sum(one.promise is Promise.KEPT for one in seen.windows)
        never = "never left its promises" if kept == len(seen.windows) else "not seen to leave its promises"
        return (
            f"{never}: {promised(objective)} held in {kept} of {len(seen.windows)} windows of "
            f"{objective.window_s} s, from the spike's onset at {instant(seen.spike.window.start_unix_s)} to "
            f"{seen.spike.until_unix_s - seen.spike.window.end_unix_s:.0f} s after its end{_already(seen)}"
        )
    after_end_s = seen.soonest_unix_s - seen.spike.window.end_unix_s
    where = f"{after_end_s:.0f} s after the spike's end" if after_end_s > 0 else "while the spike lasted"
    from_onset = f"{seen.soonest_unix_s - seen.spike.window.start_unix_s:.0f} s from its onset"
    held = f", and they stayed held for {seen.held_s(objective):.0f} s" if seen.back_unix_s is not None else ""
    return f"back {where}, {from_onset}: {_broken(objective, seen)}{held}{_already(seen)}"


def _broken(objective: Recovery, seen: Recovered) -> str:
    broken = seen.broken
    return (
        f"{promised(objective)} were broken in {len(broken)} of {len(seen.windows)} windows of {objective.window_s} s, "
        f"first at {instant(broken[0].start_unix_s)}, last at {instant(broken[-1].start_unix_s)}"
    )


def _already(seen: Recovered) -> str:
    """A word about the time before the spike, where the promises were broken there, too."""
    broken = sum(one.promise is Promise.BROKEN for one in seen.before)
    return f"; before the spike {broken} of {len(seen.before)} windows were broken, too" if broken else ""


def _worst(objective: Recovery, seen: Recovered) -> str:
    worst = worst_window_of(seen.broken)
    assert worst is not None
    latency = "no latency" if math.isnan(worst.latency_ms) else f"{quantile_name(objective)} {ms(worst.latency_ms)}"
    failed = percent(worst.failed_ratio)
    return f"The worst window, at {instant(worst.start_unix_s)}: {latency}, {failed} failed"


def worst_window_of(windows: tuple[PromiseWindow, ...]) -> PromiseWindow | None:
    """The worst one, by failures and then by latency; None of none."""
    return max(windows, default=None, key=lambda one: (one.failed_ratio, _or_nothing(one.latency_ms)))


def _or_nothing(latency_ms: float) -> float:
    return 0.0 if math.isnan(latency_ms) else latency_ms


def promised(objective: Recovery) -> str:
    """Both promises: "P95 < 450 ms and errors < 4 %"."""
    latency = f"{quantile_name(objective)} < {ms_limit(objective.latency_below_ms)}"
    return f"{latency} and errors < {asked(objective.errors_below_ratio * 100)} %"


def quantile_name(objective: Recovery) -> str:
    """The promised percentile: "P95"."""
    return f"P{asked(objective.quantile_ratio * 100)}"


def _since(objective: Recovery) -> str:
    return "the spike's end" if objective.since == "spike-end" else "the spike's onset"


def _named(place: int, among: int) -> str:
    return "" if among == 1 else f"spike {place} of {among}: "


def _measured(objective: Recovery, slowest: Recovered) -> str:
    back_s = slowest.back_s(objective)
    if math.isfinite(back_s):
        return f"{back_s:.0f} s"
    if not slowest.ended_broken:
        return "—"
    return f"not within {slowest.spike.until_unix_s - slowest.since_unix_s(objective):.0f} s"


def _source(spike: SpikeSeen) -> str:
    if isinstance(spike.client, NotSeen):
        return "—"
    return f"{spike.client.source}, {number(float(spike.client.sent.sum()))} requests"
