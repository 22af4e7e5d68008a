"""What golive's own processes had in use, by their own word: memory and file handles."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.results import RunRecord
from slo.resource import ResourceSeries

SOURCE = "golive's own word"
MEMORY, HANDLES = "rss_bytes", "open_fds"


def own_memory(record: RunRecord) -> tuple[ResourceSeries, ...]:
    """The memory of each worker's process, and of the master's."""
    return (*_of_workers(record, MEMORY), *_of_master(record, MEMORY))


def own_handles(record: RunRecord, *, master: bool = True) -> tuple[ResourceSeries, ...]:
    """The file handles of each; a worker's are its connections to the target and a few that it always has."""
    return (*_of_workers(record, HANDLES), *(_of_master(record, HANDLES) if master else ()))


def _of_workers(record: RunRecord, column: str) -> tuple[ResourceSeries, ...]:
    by_worker = record.workers.groupby("worker")
    return tuple(one for worker, lines in by_worker for one in _series(lines, column, f"golive's worker {worker}"))


def _of_master(record: RunRecord, column: str) -> tuple[ResourceSeries, ...]:
    return _series(record.master, column, "golive's master")


def _series(lines: pd.DataFrame, column: str, name: str) -> tuple[ResourceSeries, ...]:
    """One, or none where it was not told: 0 in the lines of an older golive."""
    seconds = lines[lines[column] > 0].groupby("second")[column].max()
    if seconds.empty:
        return ()
    at_unix_s, value = seconds.index.to_numpy(dtype=np.float64), seconds.to_numpy(dtype=np.float64)
    return (ResourceSeries(name=name, source=SOURCE, group="golive", at_unix_s=at_unix_s, value=value),)
