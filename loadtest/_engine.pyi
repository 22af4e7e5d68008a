"""The engine's contract: what crosses between Python and Rust. Nothing crosses per request."""

from typing import final

__all__ = ["Engine", "EngineError", "Histograms", "due_counts", "failure_kinds", "validate_plan", "version"]

class EngineError(ValueError):
    """The engine plan is not usable, or the engine was asked for something out of order."""

@final
class Engine:
    """Sends one worker's shard of a plan: arrivals k with k % shards == shard."""

    def __new__(cls, plan_json: str, *, shard: int, shards: int) -> Engine:
        """Compile the plan (format: engine/PLAN.md). Starts no thread; raises EngineError with the field's path."""
    def prepare(self) -> str:
        """Resolve the target's name, open a first connection and log in. Blocks without the GIL.

        Returns "" or, when the target cannot be used, one sentence saying why ("connection refused by 127.0.0.1:80").
        Call it off the gevent hub (threadpool).
        """
    def trial(self, *, hidden: list[str], veiled: list[str]) -> str:
        """Try every request and every flow once, after `prepare`: a JSON list of outcomes (engine/PLAN.md).

        Texts of `hidden` are shown nowhere, nor is what is captured under a name of `veiled`. Blocks without the GIL.
        """
    def start(self, *, start_in_us: int, start_unix_us: int, lease_us: int) -> None:
        """Begin the rate line `start_in_us` from now (monotonic).

        `start_unix_us` names that instant on the *master's* clock; every second in a delta is labelled from it.
        Raises EngineError when started twice or in another process than the one that built it (fork).
        """
    def renew_lease(self, *, lease_us: int) -> None:
        """The master lives: keep sending for so long. When the lease ends the engine halts by itself."""
    def halt(self, *, because: str) -> None:
        """Stop scheduling at once. Requests in flight finish or time out. Idempotent; the first reason stays."""
    def state(self) -> str:
        """ "new" | "waiting" | "running" | "draining" (nothing more will be due, some in flight) | "done"."""
    def halted_because(self) -> str:
        """Why the engine stopped before its plan ended: the reason given to halt, "lease ended", or ""."""
    def drain(self, *, everything: bool = False) -> str:
        """What was counted since the last drain, as JSON (format: engine/DELTA.md); "" when nothing.

        Only whole seconds that lie at least 1 s back, unless `everything`. Exact: each count leaves once.
        """

@final
class Histograms:
    """Adds up the histograms of many deltas, by tag, until they are taken."""

    def __new__(cls) -> Histograms: ...
    def add(self, tag: str, hdr: str) -> None:
        """Add one histogram as a delta holds it (engine/DELTA.md); raises EngineError for what is none."""
    def tags(self) -> list[str]:
        """The tags that have something."""
    def take(self, tag: str, *, bounds_us: list[int]) -> tuple[int, float, float, float, dict[int, int], list[int]]:
        """Count, sum, least, greatest (ms), counts by ms rounded as Locust does, counts by bucket; then forget them.

        A bucket more than `bounds_us` has entries: the last is what lies above all. A slot counts by its largest value.
        """

def due_counts(plan_json: str, *, shard: int = 0, shards: int = 1) -> list[list[int]]:
    """How many requests of each kind are due in each second after the start: [second][request]. From the plan alone."""

def failure_kinds() -> list[tuple[str, bool]]:
    """Every kind of failure but the statuses, and whether it makes the platform unavailable."""

def validate_plan(plan_json: str) -> None:
    """Raise EngineError when the engine would refuse the plan."""

def version() -> str:
    """The engine's version."""
