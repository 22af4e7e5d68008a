"""The rate line: straight phases from one arrival rate to another, and their integral."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A straight line from one arrival rate to another."""

    name: str
    duration_s: float
    from_rps: float
    to_rps: float
    judged: bool = True  # warm-up is driven, not judged
    beside_share: float = 1.0  # of the rates of flows that have one of their own, beside this line

    @property
    def beside_s(self) -> float:
        """For how long such flows begin, at their whole rate; where nothing is due on the line, they do not."""
        return self.duration_s * self.beside_share if self.from_rps or self.to_rps else 0.0

    @property
    def arrivals(self) -> float:
        """The area under the line, in requests."""
        return self.duration_s * (self.from_rps + self.to_rps) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The whole rate line of a plan."""

    phases: tuple[Phase, ...]

    @property
    def duration_s(self) -> float:
        """From the first arrival's earliest instant to the end of the load."""
        return sum(phase.duration_s for phase in self.phases)

    @property
    def peak_rps(self) -> float:
        """The highest rate anywhere on the line."""
        return max(max(phase.from_rps, phase.to_rps) for phase in self.phases)

    def starts_s(self) -> tuple[float, ...]:
        """When each phase begins, in seconds after the start."""
        starts, at_s = [], 0.0
        for phase in self.phases:
            starts.append(at_s)
            at_s += phase.duration_s
        return tuple(starts)

    def rate_at(self, t_s: float) -> float:
        """The arrival rate `t_s` seconds after the start; 0 outside the line."""
        for phase, start_s in zip(self.phases, self.starts_s(), strict=True):
            if start_s <= t_s < start_s + phase.duration_s:
                share = (t_s - start_s) / phase.duration_s
                return phase.from_rps + share * (phase.to_rps - phase.from_rps)
        return 0.0

    def arrivals_by(self, t_s: float) -> float:
        """How many requests are due in the first `t_s` seconds: the integral of the rate."""
        due = 0.0
        for phase, start_s in zip(self.phases, self.starts_s(), strict=True):
            inside_s = min(max(t_s - start_s, 0.0), phase.duration_s)
            reached_rps = phase.from_rps + (phase.to_rps - phase.from_rps) * (inside_s / phase.duration_s)
            due += inside_s * (phase.from_rps + reached_rps) / 2
        return due
