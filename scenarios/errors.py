"""What can go wrong outside the system under test, as a tree of errors that say what to do next.

HarnessError
├── PlanError            a file people wrote cannot be used (exit 2)
├── UsageError           a command line cannot be used (exit 2)
├── TargetNotListed      load was asked for at an address nobody reviewed (exit 2)
├── PreflightFailed      the run cannot start: target down, no ports, no disk (exit 4)
├── StageFailed          a part of the rehearsal stage did not start or died (exit 4)
├── RecordUnreadable     a run's folder cannot be read back (exit 2)
└── MetricsUnavailable   Prometheus did not answer; turns outcomes UNPROVEN, ends no run
"""

from __future__ import annotations


class HarnessError(Exception):
    """Something outside the system under test went wrong. Always says what to do next."""

    exit_code = 4

    def __init__(self, problem: str, *, remedy: str) -> None:
        """Say what is wrong, where and with which value, and what to do about it."""
        super().__init__(f"{problem}\n  Remedy: {remedy}")
        self.problem = problem
        self.remedy = remedy


class PlanError(HarnessError):
    """A plan, workload, target or objective file cannot be used as it stands."""

    exit_code = 2


class UsageError(HarnessError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class TargetNotListed(HarnessError):
    """Load was asked for at an address that no reviewed entry allows."""

    exit_code = 2


class PreflightFailed(HarnessError):
    """The run cannot start on this machine or against this target."""


class StageFailed(HarnessError):
    """A part of the rehearsal stage did not start, or died."""


class RecordUnreadable(HarnessError):
    """A run's folder cannot be read back."""

    exit_code = 2


class MetricsUnavailable(HarnessError):
    """Prometheus did not answer a question."""
